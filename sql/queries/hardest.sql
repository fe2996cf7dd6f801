-- One row per problem: the 40 whose bare question has the lowest value under the base policy.
with

bases as (

    select distinct policy_id from run_policies where name = 'base'

),

roots as (

    select
        value_estimates.problem_id,
        value_estimates.policy_id,
        value_estimates.num_correct,
        value_estimates.num_rollouts,
        value_estimates.value,
        value_estimates.wilson_high
    from value_estimates
    inner join bases using (policy_id)
    where value_estimates.num_steps = 0 and not value_estimates.is_terminal

)

select
    problems.question,
    problems.answer,
    problems.split,
    roots.num_correct,
    roots.num_rollouts,
    roots.value,
    roots.wilson_high,
    count(sampled_solutions.solution_id) as num_solutions,
    count_if(sampled_solutions.verdict = 'correct') as num_correct_solutions,
    problems.problem_id
from roots
inner join problems using (problem_id)
left join sampled_solutions
    on sampled_solutions.problem_id = roots.problem_id
    and sampled_solutions.policy_id = roots.policy_id
group by all
order by roots.value, roots.wilson_high, problems.question, problems.problem_id
limit 40
