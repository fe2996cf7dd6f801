-- One row per solution whose prefixes are not its own steps, or whose last verdict is another.
with

joined as (

    select
        solutions.solution_id,
        solution_prefixes.num_steps,
        solutions.problem_id = prefixes.problem_id as is_same_problem,
        solutions.num_steps = prefixes.num_steps and prefixes.is_terminal as is_end,
        coalesce(array_to_string(solutions.steps[:solution_prefixes.num_steps], ''), '')
            = prefixes.text as is_same_text,
        solutions.verdict is null
        or prefixes.verdict is not distinct from solutions.verdict as is_same_verdict
    from solutions
    inner join solution_prefixes using (solution_id)
    inner join prefixes using (prefix_id)

),

faults as (

    select
        concat_ws(' ', solution_id, num_steps) as subject,
        case
            when not is_same_problem then 'prefix of another problem'
            when not is_same_text then 'prefix text is not the first steps joined'
            when is_end and not is_same_verdict then 'verdict is not that of the terminal prefix'
        end as detail
    from joined
    union all
    select solution_id, 'text is not its steps joined'
    from solutions where array_to_string(steps, '') <> text or len(steps) <> num_steps

)

select subject, detail from faults where detail is not null
order by subject, detail
