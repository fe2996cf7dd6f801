-- One row per day (UTC), stage and policy: finished units, their seconds and generated tokens.
with

policy_names as (

    select
        unit_policies.unit_id,
        string_agg(distinct coalesce(policies.name, unit_policies.policy_id), ', '
            order by coalesce(policies.name, unit_policies.policy_id)) as policy
    from unit_policies
    left join policies using (policy_id)
    group by unit_policies.unit_id

),

spent as (

    select
        unit_id,
        sum(amount) filter (where item = 'seconds') as seconds,
        sum(amount) filter (where item = 'generated_tokens') as generated_tokens
    from costs
    group by unit_id

)

select
    units.created_at::date as day,
    units.stage,
    coalesce(policy_names.policy, '') as policy,
    count(*) as num_units,
    coalesce(sum(spent.seconds), 0) as seconds,
    coalesce(sum(spent.generated_tokens), 0) as generated_tokens
from units
left join policy_names using (unit_id)
left join spent using (unit_id)
group by day, units.stage, policy
order by day, units.stage, policy
