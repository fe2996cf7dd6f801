-- One row per solution and labelling policy: the first step from which no rollout came right.
-- Of all that was drawn: whether any rollout came right is what a search looks for.
create view first_errors as

with

labelled as (

    select
        solution_prefixes.solution_id,
        labels.policy_id,
        count(*)::integer as num_labelled,
        bool_or(solution_prefixes.num_steps = 0 and labels.num_correct = 0) as is_hopeless,
        list(solution_prefixes.num_steps) filter (where labels.num_correct > 0) as positives,
        min(solution_prefixes.num_steps) filter (where labels.num_correct = 0) as labelled_zero,
        arg_min(labels.num_rollouts, solution_prefixes.num_steps)
            filter (where labels.num_correct = 0) as labelled_zero_rollouts
    from solution_prefixes
    inner join labels using (prefix_id)
    where labels.num_rollouts > 0
    group by solution_prefixes.solution_id, labels.policy_id

),

-- A finished solution's end is as good as labelled: its verdict is certain.
ended as (

    select
        labelled.solution_id,
        solutions.problem_id,
        labelled.policy_id,
        labelled.num_labelled,
        labelled.is_hopeless,
        solutions.verdict = 'correct' as is_correct,
        solutions.finish_reason = 'stop' and solutions.verdict <> 'failed' as is_certain,
        case
            when is_certain and is_correct
                then list_append(coalesce(labelled.positives, []), solutions.num_steps)
            else coalesce(labelled.positives, [])
        end as positives,
        case
            when is_certain and not is_correct
                then least(labelled.labelled_zero, solutions.num_steps)
            else labelled.labelled_zero
        end as first_zero,
        labelled.labelled_zero_rollouts as zero_rollouts
    from labelled
    inner join solutions using (solution_id)

),

located as (

    select
        *,
        case
            when is_correct then 'correct'
            when is_hopeless then 'hopeless'
            when first_zero is null then 'no_zero'
            when list_contains(positives, first_zero - 1) then 'found'
            else 'not_located'
        end as status
    from ended

)

select
    solution_id,
    problem_id,
    policy_id,
    policy_name(policy_id) as policy,
    status,
    case when status = 'found' then first_zero end as first_error,
    first_zero,
    zero_rollouts,
    num_labelled,
    coalesce(list_max(positives) < first_zero, true) as is_monotone
from located
