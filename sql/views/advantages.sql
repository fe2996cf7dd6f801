-- One row per solution step and policy: by how much the step changed the policy's success.
-- The interval is Newcombe's, from the two Wilson intervals: it does not vanish at 0 of n.
create view advantages as

with

differences as (

    select
        after.solution_id,
        after.problem_id,
        after.num_steps as step,
        after.policy_id,
        after.is_terminal,
        before.prefix_id as prefix_id_before,
        after.prefix_id as prefix_id_after,
        before.value as value_before,
        after.value as value_after,
        after.value - before.value as advantage,
        sqrt(before.se * before.se + after.se * after.se) as se,
        sqrt(
            (after.value - after.wilson_low) ** 2 + (before.wilson_high - before.value) ** 2
        ) as distance_low,
        sqrt(
            (after.wilson_high - after.value) ** 2 + (before.value - before.wilson_low) ** 2
        ) as distance_high
    from step_values as after
    inner join step_values as before
        on before.solution_id = after.solution_id
        and before.policy_id = after.policy_id
        and before.num_steps = after.num_steps - 1

)

select
    differences.solution_id,
    differences.problem_id,
    differences.step,
    solutions.steps[differences.step] as step_text,
    differences.policy_id,
    differences.is_terminal,
    differences.prefix_id_before,
    differences.prefix_id_after,
    differences.value_before,
    differences.value_after,
    differences.advantage,
    differences.se,
    differences.advantage - differences.distance_low as advantage_low,
    differences.advantage + differences.distance_high as advantage_high
from differences
inner join solutions using (solution_id)
