-- Scalar: 1 for rollouts that make a label whatever they are, 2 for `fresh` ones, 3 for the others.
-- A label is made of its blocks of the lowest class; a `search` block chose its own prefix.
create macro label_class(stopping_rule) as (
    case
        when rule_rank(stopping_rule) <= 3 then 1
        when rule_rank(stopping_rule) = 4 then 2
        else 3
    end
)
