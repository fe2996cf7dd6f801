-- Scalar: upper end of the confidence sequence of a share: that of the wrong ones, turned round.
create macro sequence_high(num_correct, num_rollouts, confidence := 0.95e0) as (
    1 - sequence_low(num_rollouts - num_correct, num_rollouts, confidence := confidence)
)
