-- One row per prefix and policy with a value: what a value network is fitted to, by counts alone.
create view value_targets as

select
    value_estimates.prefix_id,
    value_estimates.policy_id,
    policy_name(value_estimates.policy_id) as policy,
    value_estimates.problem_id,
    problems.split,
    value_estimates.num_steps,
    value_estimates.is_terminal,
    value_estimates.num_correct,
    value_estimates.num_rollouts,
    value_estimates.value as target
from value_estimates
inner join problems using (problem_id)
where value_estimates.value is not null
