-- Scalar: upper end of the Wilson score interval of a share (95 % unless z is given).
create macro wilson_high(num_correct, num_rollouts, z := 1.959963984540054e0) as (
    case
        when num_rollouts = 0 then 1e0
        when num_correct between 0 and num_rollouts
            then least(1e0, (
                num_correct + z::double * z::double / 2
                + z::double * sqrt(
                    num_correct::double * (num_rollouts - num_correct) / num_rollouts
                    + z::double * z::double / 4
                )
            ) / (num_rollouts + z::double * z::double))
    end
)
