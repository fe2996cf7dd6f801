-- One row per run: when it was recorded (UTC), its number of units and their seconds.
with

used as (

    select
        run_units.run_id,
        count(distinct run_units.unit_id) as num_units,
        sum(costs.amount) filter (where costs.item = 'seconds') as seconds
    from run_units
    left join costs using (unit_id)
    group by run_units.run_id

)

select
    runs.run_id,
    runs.recorded_at,
    runs.is_last,
    coalesce(used.num_units, 0) as num_units,
    used.seconds
from runs
left join used using (run_id)
order by runs.recorded_at desc, runs.run_id desc
