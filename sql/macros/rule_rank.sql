-- Scalar: which rule a block goes by that stands under several, the lowest; 6 is no known rule.
create macro rule_rank(stopping_rule) as (
    case
        when stopping_rule = 'fixed' then 1
        when starts_with(stopping_rule, 'sequential ') then 2
        when stopping_rule = 'allocated' then 3
        when stopping_rule = 'fresh' then 4
        when stopping_rule = 'search' then 5
        else 6
    end
)
