-- Scalar: plug-in standard error of a share, sqrt(p (1 - p) / n); 0 at 0 of n and n of n.
create macro value_se(num_correct, num_rollouts) as (
    sqrt(
        num_correct::double * (num_rollouts - num_correct)
        / nullif(num_rollouts::double * num_rollouts * num_rollouts, 0)
    )
)
