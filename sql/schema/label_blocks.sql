-- One row per prefix, policy, pipeline seed and block of rollouts.
-- A block that planners wanted by several rules is one draw: it goes by the first of fixed,
-- sequential, allocated, fresh and search. Drawn with two sizes it is the same stream cut
-- elsewhere: the longer counts.
create table label_blocks as

select
    prefix_id,
    policy_id,
    seed,
    block,
    num_rollouts,
    num_correct,
    num_truncated,
    num_unparsed,
    num_failed,
    generated_tokens,
    stopping_rule,
    unit_id
from read_parquet($label_blocks, union_by_name = true)
qualify row_number() over (
    partition by prefix_id, policy_id, seed, block
    order by rule_rank(stopping_rule), num_rollouts desc, unit_id
) = 1
