-- One row per solution whose prefixes are not its own steps, or whose last verdict is another.
-- Texts are compared where a solution leaves the one that a prefix is cut from; before that their
-- ends must be at the same characters. To compare each prefix would take the square of the steps.
with

steps as (

    select
        solution_id,
        unnest(steps) as step,
        generate_subscripts(steps, 1) as num_steps
    from solutions

),

ends as (

    select solution_id, 0 as num_steps, 0 as num_characters from solutions
    union all
    select
        solution_id,
        num_steps,
        sum(length(step)) over (partition by solution_id order by num_steps)
    from steps

),

joined as (

    select
        solutions.solution_id,
        solution_prefixes.num_steps,
        prefix_cuts.solution_id as cut_from,
        prefix_cuts.num_characters,
        solutions.problem_id = prefix_cuts.problem_id as is_same_problem,
        ends.num_characters is not distinct from prefix_cuts.num_characters as is_same_end,
        solutions.num_steps = prefix_cuts.num_steps and prefix_cuts.is_terminal as is_end,
        solutions.verdict is null
        or prefix_cuts.verdict is not distinct from solutions.verdict as is_same_verdict
    from solutions
    inner join solution_prefixes using (solution_id)
    inner join prefix_cuts using (prefix_id)
    left join ends
        on ends.solution_id = solution_prefixes.solution_id
        and ends.num_steps = solution_prefixes.num_steps

),

shared as (

    select
        solution_id,
        cut_from,
        max(num_characters) as num_characters,
        arg_max(num_steps, num_characters) as num_steps
    from joined
    where cut_from <> solution_id and num_characters > 0
    group by solution_id, cut_from

),

faults as (

    select
        concat_ws(' ', solution_id, num_steps) as subject,
        case
            when not is_same_problem then 'prefix of another problem'
            when not is_same_end then 'prefix text is not the first steps joined'
            when is_end and not is_same_verdict then 'verdict is not that of the terminal prefix'
        end as detail
    from joined
    union all
    select
        concat_ws(' ', shared.solution_id, shared.num_steps),
        'prefix text is not the first steps joined'
    from shared
    inner join solutions using (solution_id)
    inner join solutions as others on others.solution_id = shared.cut_from
    where
        left(solutions.text, shared.num_characters) <> left(others.text, shared.num_characters)
    union all
    select solution_id, 'text is not its steps joined'
    from solutions where array_to_string(steps, '') <> text or len(steps) <> num_steps

)

select subject, detail from faults where detail is not null
order by subject, detail
