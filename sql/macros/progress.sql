-- One row per step of the base's solutions: its value, and its advantage under best-of-k.
-- base and prover are roles, names or ids; k = 1 is the prover itself. NULL where a prefix has too
-- few rollouts; a finished solution has its verdict for a value, whatever the policy and k.
create macro progress(base, prover, k) as table

with

proven as (

    select
        prefix_id,
        case
            when is_terminal or k = 1 then value
            else best_of(first_correct, first_rollouts, k)
        end as value
    from value_estimates
    where policy_id = policy_named(prover)

),

steps as (

    select
        solutions.solution_id,
        solutions.problem_id,
        afterwards.num_steps as step,
        solutions.steps[afterwards.num_steps] as step_text,
        previous.prefix_id as prefix_id_before,
        afterwards.prefix_id as prefix_id_after
    from solutions
    inner join solution_prefixes as afterwards using (solution_id)
    inner join solution_prefixes as previous
        on previous.solution_id = afterwards.solution_id
        and previous.num_steps = afterwards.num_steps - 1
    where solutions.policy_id = policy_named(base)

)

select
    steps.solution_id,
    steps.problem_id,
    steps.step,
    steps.step_text,
    steps.prefix_id_before,
    steps.prefix_id_after,
    coalesce(base_values.is_terminal, false) as is_terminal,
    base_values.value as base_value,
    proven_before.value as prover_value_before,
    proven_after.value as prover_value_after,
    proven_after.value - proven_before.value as advantage
from steps
left join value_estimates as base_values
    on base_values.prefix_id = steps.prefix_id_after
    and base_values.policy_id = policy_named(base)
left join proven as proven_before on proven_before.prefix_id = steps.prefix_id_before
left join proven as proven_after on proven_after.prefix_id = steps.prefix_id_after
