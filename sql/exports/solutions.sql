-- One row per solution: its problem, its steps, and what is known of each of its prefixes.
with

named as (

    select
        solution_prefixes.solution_id,
        solution_prefixes.num_steps,
        labels.num_correct,
        labels.num_rollouts,
        labels.stopping_rule,
        value_estimates.value,
        value_estimates.value - lag(value_estimates.value) over (
            partition by solution_prefixes.solution_id order by solution_prefixes.num_steps
        ) as advantage
    from solution_prefixes
    left join value_estimates
        on
            solution_prefixes.prefix_id = value_estimates.prefix_id
            and value_estimates.policy_id = $policy
    left join labels
        on
            solution_prefixes.prefix_id = labels.prefix_id
            and labels.policy_id = $policy

),

own as (

    select
        solution_id,
        list({
            num_steps: num_steps,
            num_correct: num_correct,
            num_rollouts: num_rollouts,
            stopping_rule: stopping_rule,
            value: value,
            advantage: advantage
        } order by num_steps) as step_labels
    from named
    group by solution_id

),

imported as (

    select
        solution_id,
        list({
            num_steps: num_steps,
            format: format,
            kind: kind,
            labeler: labeler,
            value: value
        } order by format, kind, labeler, num_steps) as imported_labels
    from imported_labels
    group by solution_id

)

select
    solutions.problem_id,
    problems.question,
    problems.prompt,
    problems.answer,
    problems.answer_source,
    problems.split,
    problems.source,
    solutions.solution_id,
    solutions.policy_id as policy,
    solutions.text as response,
    solutions.steps,
    solutions.finish_reason,
    solutions.verdict,
    solutions.wrong_step,
    $policy as labelled_by,
    own.step_labels,
    coalesce(imported.imported_labels, []) as imported_labels
from solutions
inner join problems using (problem_id)
inner join own using (solution_id)
left join imported using (solution_id)
where
    ($split = '' or problems.split = $split)
    and ($solutions_of = '' or solutions.policy_id = $solutions_of)
order by solutions.unit_id, solutions.sample, solutions.problem_id, solution_id
