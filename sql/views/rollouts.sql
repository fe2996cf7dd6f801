-- One row per rollout of a block: its steps after the prefix and its verdict, read from Parquet.
-- The files are where the store was when this was built; elsewhere: set variable store = 'FOLDER'.
create view rollouts as

select
    prefix_id,
    policy_id,
    policy_name(policy_id) as policy,
    seed,
    block,
    rollout,
    steps,
    array_to_string(steps, '') as text,
    verdict,
    reason,
    wrong_step,
    finish_reason,
    num_tokens,
    unit_id
from read_parquet($rollout_files, union_by_name = true)
