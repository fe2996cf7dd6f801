-- One row per value of the base, split and number of steps: mean score of the base's own solutions.
-- The chance that a solution ends rightly has one mean after any number of steps, so a calibrated Q
-- is flat. A solution that ended keeps its last score. Errors are clustered by problem.
with

-- Only Q of the base: other policies' values may rise or fall where the base goes on.
heads as (

    select
        unit_id,
        parameters->'policies'->>'base' as base,
        unnest(from_json(parameters->'heads', '["varchar"]')) as verifier,
        unnest(from_json(parameters->'head_policies', '["varchar"]')) as policy_id,
        unnest(from_json(parameters->'best_of_k', '["integer"]')) as k
    from units
    -- Targets are named where a network's scores are values of prefixes.
    where parameters->>'targets' <> ''

),

solutions_scored as (

    select
        scores.verifier,
        scores.split,
        scores.unit_id,
        scores.problem_id,
        scores.solution_id,
        list(scores.score order by scores.num_steps) as path
    from scores
    inner join heads
        on heads.unit_id = scores.unit_id
        and heads.verifier = scores.verifier
        and heads.policy_id = heads.base
        and heads.k = 1
    group by
        scores.verifier, scores.split, scores.unit_id, scores.problem_id, scores.solution_id

),

lengths as (

    select verifier, split, max(len(path)) as longest
    from solutions_scored
    group by verifier, split

),

carried as (

    select
        solutions_scored.verifier,
        solutions_scored.split,
        solutions_scored.problem_id,
        steps.number as num_steps,
        solutions_scored.path[least(steps.number + 1, len(solutions_scored.path))] as score,
        score - solutions_scored.path[1] as change
    from solutions_scored
    inner join lengths using (verifier, split)
    cross join unnest(range(lengths.longest)) as steps(number)

),

problem_sums as (

    select
        verifier,
        split,
        num_steps,
        problem_id,
        count(*) as num_solutions,
        sum(score) as score,
        sum(change) as change
    from carried
    group by verifier, split, num_steps, problem_id

),

means as (

    select
        verifier,
        split,
        num_steps,
        count(*) as num_problems,
        sum(num_solutions) as num_solutions,
        sum(score) / sum(num_solutions) as mean_score,
        sum(change) / sum(num_solutions) as mean_change
    from problem_sums
    group by verifier, split, num_steps

)

select
    means.verifier,
    means.split,
    means.num_steps,
    any_value(means.num_problems) as num_problems,
    any_value(means.num_solutions)::bigint as num_solutions,
    any_value(means.mean_score) as mean_score,
    any_value(means.mean_change) as change,
    sqrt(
        means.num_problems / nullif(means.num_problems - 1, 0)
        * sum((problem_sums.change - means.mean_change * problem_sums.num_solutions) ** 2)
    ) / means.num_solutions as error,
    abs(means.mean_change) <= 1.959963984540054e0 * error as is_within_error
from means
inner join problem_sums using (verifier, split, num_steps)
group by
    means.verifier,
    means.split,
    means.num_steps,
    means.num_problems,
    means.num_solutions,
    means.mean_change
order by means.verifier, means.split, means.num_steps
