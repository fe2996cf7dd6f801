-- One row per labelling policy: worker-seconds and price of its labels, and of 1,000 of them.
-- A unit's price is by runner.device_hour_price of the last run that used it; 0 where none did.
with

hour_prices as (

    select
        run_units.unit_id,
        arg_max(
            coalesce((runs.settings->'runner'->>'device_hour_price')::double, 0),
            (runs.recorded_at, runs.run_id)
        ) as hour_price
    from run_units
    inner join runs using (run_id)
    group by run_units.unit_id

),

spent as (

    select
        costs.unit_id,
        sum(costs.amount) as seconds,
        sum(costs.amount / 3600 * coalesce(hour_prices.hour_price, 0)) as price
    from costs
    left join hour_prices using (unit_id)
    where costs.item = 'seconds'
    group by costs.unit_id

),

unit_policies as (

    select distinct unit_id, policy_id from label_blocks

),

-- A unit of several policies is shared among them equally.
policy_costs as (

    select
        unit_policies.policy_id,
        sum(spent.seconds / shares.num_policies) as seconds,
        sum(spent.price / shares.num_policies) as price
    from unit_policies
    inner join (
        select unit_id, count(*) as num_policies from unit_policies group by unit_id
    ) as shares using (unit_id)
    left join spent using (unit_id)
    group by unit_policies.policy_id

),

labelled as (

    select
        policy_id,
        count(distinct prefix_id) as num_labels,
        sum(num_rollouts)::bigint as num_rollouts,
        sum(generated_tokens)::bigint as generated_tokens
    from label_blocks
    group by policy_id

)

select
    coalesce(policies.name, labelled.policy_id) as policy,
    labelled.num_labels,
    labelled.num_rollouts,
    labelled.generated_tokens,
    policy_costs.seconds,
    policy_costs.price,
    policy_costs.seconds / labelled.num_labels * 1000 as seconds_per_1000_labels,
    policy_costs.price / labelled.num_labels * 1000 as price_per_1000_labels,
    labelled.policy_id
from labelled
inner join policy_costs using (policy_id)
left join policies using (policy_id)
order by policy, labelled.policy_id
