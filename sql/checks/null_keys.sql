-- One row per table with rows whose key is not all there.
with

counted as (

    select 'problems' as subject, count_if(problem_id is null) as num_rows
    from problems
    union all
    select 'solutions', count_if(solution_id is null or problem_id is null)
    from solutions
    union all
    select 'prefixes', count_if(prefix_id is null or problem_id is null)
    from prefixes
    union all
    select
        'solution_prefixes',
        count_if(solution_id is null or num_steps is null or prefix_id is null)
    from solution_prefixes
    union all
    select
        'label_blocks',
        count_if(prefix_id is null or policy_id is null or seed is null or block is null)
    from label_blocks

)

select subject, printf('%d rows with a null in their key', num_rows) as detail
from counted
where num_rows > 0
order by subject
