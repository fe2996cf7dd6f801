-- One row per policy: its checkpoint, its parent policy (or its origin) and the unit that made it.
create table policies as

select
    policy_id,
    name,
    checkpoint,
    parent_policy_id,
    round,
    unit_id,
    details::json as details
from read_parquet($policies)
order by name, policy_id
