-- Scalar: unbiased estimate that one of k rollouts is correct, 1 - C(n - c, k) / C(n, k).
-- NULL where k exceeds the sample: only a fixed-size sample of k or more tells it without bias.
create macro best_of(num_correct, num_rollouts, k) as (
    case
        when k between 1 and num_rollouts and num_correct between 0 and num_rollouts
            then 1 - list_product(
                list_transform(
                    range(0, k::bigint),
                    lambda i: (num_rollouts - num_correct - i)::double / (num_rollouts - i)
                )
            )
    end
)
