-- One row per trained verifier; checkpoint is its folder within the store.
create table verifiers as

select
    verifier_id,
    name,
    pipeline_seed,
    kind,
    policy_id,
    checkpoint,
    unit_id,
    details::json as details
from read_parquet($verifiers)
order by pipeline_seed, name, verifier_id
