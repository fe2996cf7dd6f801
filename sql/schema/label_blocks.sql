-- One row per prefix, policy, pipeline seed and block of rollouts.
-- A block that planners wanted by several rules is one draw: it goes by the first of them in
-- stopping_rules. Drawn with two sizes it is the same stream cut elsewhere: the longer counts.
create table label_blocks as

select
    drawn.prefix_id,
    drawn.policy_id,
    drawn.seed,
    drawn.block,
    drawn.num_rollouts,
    drawn.num_correct,
    drawn.num_truncated,
    drawn.num_unparsed,
    drawn.num_failed,
    drawn.generated_tokens,
    drawn.stopping_rule,
    drawn.unit_id
from read_parquet($label_blocks, union_by_name = true) as drawn
left join stopping_rules on stopping_rules.name = split_part(drawn.stopping_rule, ' ', 1)
qualify row_number() over (
    partition by drawn.prefix_id, drawn.policy_id, drawn.seed, drawn.block
    order by stopping_rules.rank nulls last, drawn.num_rollouts desc, drawn.unit_id
) = 1
