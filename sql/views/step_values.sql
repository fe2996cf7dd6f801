-- One row per solution, number of its first steps (0 is the bare problem) and policy: the value.
create view step_values as

select
    solution_prefixes.solution_id,
    value_estimates.problem_id,
    solution_prefixes.num_steps,
    solution_prefixes.prefix_id,
    value_estimates.policy_id,
    policy_name(value_estimates.policy_id) as policy,
    value_estimates.is_terminal,
    value_estimates.num_rollouts,
    value_estimates.num_correct,
    value_estimates.first_rollouts,
    value_estimates.first_correct,
    value_estimates.fresh_rollouts,
    value_estimates.fresh_correct,
    value_estimates.value,
    value_estimates.se,
    value_estimates.wilson_low,
    value_estimates.wilson_high
from solution_prefixes
inner join value_estimates using (prefix_id)
