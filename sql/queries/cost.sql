-- One row per stage, policy (where a unit has one) and cost item: the total over finished units.
with

named as (

    select unit_policies.unit_id, coalesce(policies.name, unit_policies.policy_id) as name
    from unit_policies
    left join policies using (policy_id)

),

policy_names as (

    select
        unit_id,
        string_agg(distinct name, ', ' order by name) as policy
    from named
    group by unit_id

)

select
    costs.stage,
    coalesce(policy_names.policy, '') as policy,
    costs.item,
    count(*) as num_units,
    sum(costs.amount) as amount
from costs
left join policy_names using (unit_id)
group by costs.stage, policy, costs.item
order by costs.stage, policy, costs.item
