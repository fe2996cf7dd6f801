-- One row per step: each policy's 20 largest rises and 20 largest falls, equal steps once.
with

steps as (

    select
        problem_id,
        step,
        step_text,
        policy_id,
        value_before,
        value_after,
        advantage,
        se,
        advantage_low,
        advantage_high,
        solution_id
    from advantages
    where advantage <> 0
    qualify row_number() over (
        partition by prefix_id_before, prefix_id_after, policy_id order by solution_id, step
    ) = 1

),

ranked as (

    select
        steps.*,
        row_number() over (
            partition by policy_id order by advantage desc, se, solution_id, step
        ) as rise_rank,
        row_number() over (
            partition by policy_id order by advantage, se, solution_id, step
        ) as fall_rank
    from steps

)

select
    coalesce(policies.name, ranked.policy_id) as policy,
    case when ranked.advantage > 0 then 'rise' else 'fall' end as direction,
    problems.question,
    ranked.step,
    rtrim(ranked.step_text, chr(10)) as step_text,
    ranked.value_before,
    ranked.value_after,
    ranked.advantage,
    ranked.se,
    ranked.advantage_low,
    ranked.advantage_high,
    ranked.solution_id,
    ranked.policy_id
from ranked
inner join problems using (problem_id)
left join policies using (policy_id)
where
    (ranked.advantage > 0 and ranked.rise_rank <= 20)
    or (ranked.advantage < 0 and ranked.fall_rank <= 20)
order by policy, ranked.policy_id, ranked.advantage desc, ranked.solution_id, ranked.step
