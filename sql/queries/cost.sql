-- One row per stage, policy (where a unit has one) and cost item: the total over finished units.
with

unit_policies as (

    select unit_id, policy_id from label_blocks
    union
    select unit_id, policy_id from solutions

),

policy_names as (

    select
        unit_policies.unit_id,
        string_agg(distinct policies.name, ', ' order by policies.name) as policy
    from unit_policies
    inner join policies using (policy_id)
    group by unit_policies.unit_id

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
