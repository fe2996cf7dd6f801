-- One row per imported solution and source of its labels: the first step it calls wrong.
with

steps as (

    select
        *,
        case kind
            when 'error' then value = 1
            when 'rating' then value = -1
            else value = 0
        end as is_wrong
    from imported_labels
    where num_steps > 0

)

select
    solution_id,
    solutions.problem_id,
    steps.format,
    steps.kind,
    steps.labeler,
    min(steps.num_steps) filter (where steps.is_wrong) as first_error,
    count(steps.value) as num_labelled,
    solutions.num_steps,
    solutions.verdict
from steps
inner join solutions using (solution_id)
group by all
order by solution_id, format, kind, labeler
