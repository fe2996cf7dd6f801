-- One row per distinct step (a prefix with its parent) and policy: by how much it changed success.
-- The interval is Newcombe's, from the two Wilson intervals: it does not vanish at 0 of n.
create view step_advantages as

with

differences as (

    select
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
    from value_estimates as after
    inner join prefixes on prefixes.prefix_id = after.prefix_id
    inner join value_estimates as before
        on before.prefix_id = prefixes.parent_id
        and before.policy_id = after.policy_id

)

select
    problem_id,
    step,
    policy_id,
    policy_name(policy_id) as policy,
    is_terminal,
    prefix_id_before,
    prefix_id_after,
    value_before,
    value_after,
    advantage,
    se,
    advantage - distance_low as advantage_low,
    advantage + distance_high as advantage_high
from differences
