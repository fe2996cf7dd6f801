-- One row per step: each policy's 20 largest rises and 20 largest falls, equal steps once.
with

ranked as (

    select
        *,
        row_number() over (
            partition by policy_id, advantage > 0
            order by abs(advantage) desc, se, problem_id, prefix_id_after
        ) as place
    from step_advantages
    where advantage <> 0
    qualify place <= 20

),

shown as (

    select ranked.*, min(solution_prefixes.solution_id) as solution_id
    from ranked
    inner join solution_prefixes on solution_prefixes.prefix_id = ranked.prefix_id_after
    group by all

)

select
    coalesce(policies.name, shown.policy_id) as policy,
    case when shown.advantage > 0 then 'rise' else 'fall' end as direction,
    problems.question,
    shown.step,
    rtrim(solutions.steps[shown.step], chr(10)) as step_text,
    shown.value_before,
    shown.value_after,
    shown.advantage,
    shown.se,
    shown.advantage_low,
    shown.advantage_high,
    shown.solution_id,
    shown.policy_id
from shown
inner join problems using (problem_id)
inner join solutions using (solution_id)
left join policies on policies.policy_id = shown.policy_id
order by policy, shown.policy_id, shown.advantage desc, shown.solution_id, shown.step
