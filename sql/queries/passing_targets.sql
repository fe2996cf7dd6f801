-- One row per open prefix and policy: right samples among its own and among all that pass through.
-- A rollout that started earlier, or a solution of the policy, is one more sample of each prefix
-- on its way. All that was drawn counts, for whichever prefix and by whichever rule.
with

rolled as (

    select distinct
        rollouts.prefix_id,
        rollouts.policy_id,
        rollouts.seed,
        rollouts.block,
        rollouts.rollout,
        rollouts.steps,
        rollouts.verdict
    from rollouts
    where rollouts.verdict <> 'failed'

),

samples as (

    select
        prefixes.problem_id,
        rolled.policy_id,
        prefixes.text as given,
        rolled.steps,
        rolled.verdict = 'correct' as is_correct,
        true as is_rollout
    from rolled
    inner join prefixes using (prefix_id)
    union all
    select problem_id, policy_id, '', steps, verdict = 'correct', false
    from sampled_solutions
    -- Imported ones have no seed: they need not be draws of that policy.
    where verdict <> 'failed' and seed is not null

),

open_prefixes as (

    select
        prefix_cuts.prefix_id,
        prefix_cuts.problem_id,
        prefix_cuts.num_steps,
        left(solutions.text, prefix_cuts.num_characters) as text
    from prefix_cuts
    inner join solutions using (solution_id)
    where
        not prefix_cuts.is_terminal
        -- Nothing passes through those of problems that were only imported, however long they are.
        and prefix_cuts.problem_id in (select problem_id from samples)

),

-- The last step ends the response: that is a verdict, not a prefix to go on from.
passed as (

    select
        samples.problem_id,
        samples.policy_id,
        samples.given || coalesce(array_to_string(samples.steps[:place.number], ''), '') as text,
        samples.is_correct,
        samples.is_rollout and place.number = 0 as is_own
    from samples, unnest(range(0, greatest(len(samples.steps), 1))) as place(number)

)

select
    problems.question,
    problems.split,
    open_prefixes.num_steps,
    open_prefixes.text,
    coalesce(policies.name, passed.policy_id) as policy,
    count_if(passed.is_own) as own_rollouts,
    count_if(passed.is_own and passed.is_correct) as own_correct,
    count(*) as num_rollouts,
    count_if(passed.is_correct) as num_correct,
    count_if(passed.is_correct) / count(*)::double as target,
    open_prefixes.prefix_id,
    passed.policy_id
from passed
inner join open_prefixes using (problem_id, text)
inner join problems on problems.problem_id = open_prefixes.problem_id
left join policies using (policy_id)
group by all
order by
    problems.split,
    problems.question,
    open_prefixes.num_steps,
    open_prefixes.text,
    policy,
    passed.policy_id
