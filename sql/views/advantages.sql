-- One row per solution step and policy: by how much the step changed the policy's success.
create view advantages as

select
    solution_prefixes.solution_id,
    step_advantages.problem_id,
    step_advantages.step,
    solutions.steps[step_advantages.step] as step_text,
    step_advantages.policy_id,
    policy_name(step_advantages.policy_id) as policy,
    step_advantages.is_terminal,
    step_advantages.prefix_id_before,
    step_advantages.prefix_id_after,
    step_advantages.value_before,
    step_advantages.value_after,
    step_advantages.advantage,
    step_advantages.se,
    step_advantages.advantage_low,
    step_advantages.advantage_high
from solution_prefixes
inner join step_advantages
    on step_advantages.prefix_id_after = solution_prefixes.prefix_id
inner join solutions using (solution_id)
