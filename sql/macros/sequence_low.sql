-- Scalar: lower end of the confidence sequence of a share, right whenever and why rollouts stopped.
-- The mixture with Beta(1/2, 1/2): the p below the share where its likelihood is 1 - confidence of
-- the mean likelihood (docs/method.md section 2), by halving.
create macro sequence_low(num_correct, num_rollouts, confidence := 0.95e0) as (
    case
        when num_rollouts = 0 or num_correct = 0 then 0e0
        when num_correct between 0 and num_rollouts
            then list_reduce(
                list_transform(
                    range(0, 60),
                    lambda i: {
                        low: 0e0,
                        high: num_correct::double / num_rollouts,
                        level: lgamma(num_correct + 0.5e0)
                        + lgamma(num_rollouts - num_correct + 0.5e0)
                        - lgamma(num_rollouts + 1e0) - ln(pi()) + ln(1 - confidence)
                    }
                ),
                lambda bounds, next: {
                    low: case
                        when bounds.level > num_correct * ln((bounds.low + bounds.high) / 2)
                            + (num_rollouts - num_correct)
                            * ln(1 - (bounds.low + bounds.high) / 2)
                            then (bounds.low + bounds.high) / 2
                        else bounds.low
                    end,
                    high: case
                        when bounds.level > num_correct * ln((bounds.low + bounds.high) / 2)
                            + (num_rollouts - num_correct)
                            * ln(1 - (bounds.low + bounds.high) / 2)
                            then bounds.high
                        else (bounds.low + bounds.high) / 2
                    end,
                    level: bounds.level
                }
            ).low
    end
)
