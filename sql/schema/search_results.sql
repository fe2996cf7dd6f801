-- One row per arm, problem and seeds of the last run that searched.
create table search_results as

with

last_search as (

    select runs.run_id
    from runs
    where runs.run_id in (select run_id from all_search_results)
    order by runs.recorded_at desc, runs.run_id desc
    limit 1

)

select all_search_results.*
from all_search_results
inner join last_search using (run_id)
