-- One row per solution step and policy: Math-Shepherd's hard (any right) and soft (share) label.
-- A finished solution's last step has its verdict for both (arXiv 2312.08935, section 3.2).
create view hard_soft_labels as

select
    step_values.solution_id,
    step_values.problem_id,
    step_values.num_steps as step,
    solutions.steps[step_values.num_steps] as step_text,
    step_values.policy_id,
    policy_name(step_values.policy_id) as policy,
    step_values.prefix_id,
    step_values.is_terminal,
    step_values.num_correct,
    step_values.num_rollouts,
    (step_values.value > 0)::integer as hard,
    step_values.value as soft
from step_values
inner join solutions using (solution_id)
where step_values.num_steps > 0 and step_values.value is not null
