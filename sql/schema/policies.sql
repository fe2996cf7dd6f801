-- One row per policy: its checkpoint, its parent policy (or its origin) and the unit that made it.
-- Of several policies of one name, `policy` is the bare name of the one that had it last.
create table policies as

with

last_holders as (

    select
        run_policies.name,
        arg_max(run_policies.policy_id, (runs.recorded_at, runs.run_id)) as policy_id
    from run_policies
    inner join runs using (run_id)
    group by run_policies.name

)

select
    read_policies.policy_id,
    read_policies.name,
    case
        when read_policies.policy_id <> last_holders.policy_id
            then format('{} ({})', read_policies.name, left(read_policies.policy_id, 8))
        else coalesce(read_policies.name, read_policies.policy_id)
    end as policy,
    read_policies.checkpoint,
    read_policies.parent_policy_id,
    read_policies.round,
    read_policies.unit_id,
    read_policies.details::json as details
from read_parquet($policies) as read_policies
left join last_holders using (name)
order by read_policies.name, read_policies.policy_id
