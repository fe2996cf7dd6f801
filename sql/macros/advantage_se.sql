-- Scalar: standard error of the difference of two values with rollouts of their own.
create macro advantage_se(correct_before, rollouts_before, correct_after, rollouts_after) as (
    sqrt(
        correct_before::double * (rollouts_before - correct_before)
        / nullif(rollouts_before::double * rollouts_before * rollouts_before, 0)
        + correct_after::double * (rollouts_after - correct_after)
        / nullif(rollouts_after::double * rollouts_after * rollouts_after, 0)
    )
)
