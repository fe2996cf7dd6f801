-- One row per finished solution and policy whose advantages miss verdict minus root value.
with

sums as (

    select
        solution_id,
        policy_id,
        sum(advantage) as total,
        count(advantage) as num_steps,
        bool_or(is_terminal) as is_ended
    from advantages
    group by solution_id, policy_id

),

roots as (

    select
        solution_prefixes.solution_id,
        labels.policy_id,
        labels.num_correct / labels.num_rollouts::double as value
    from solution_prefixes
    inner join labels using (prefix_id)
    where solution_prefixes.num_steps = 0 and labels.num_rollouts > 0

),

expected as (

    select
        solutions.solution_id,
        sums.policy_id,
        sums.total,
        (solutions.verdict = 'correct')::integer - roots.value as difference
    from solutions
    inner join sums using (solution_id, num_steps)
    inner join roots
        on roots.solution_id = sums.solution_id and roots.policy_id = sums.policy_id
    where sums.is_ended and solutions.verdict <> 'failed'

)

select
    concat_ws(' ', solution_id, policy_id) as subject,
    printf('advantages sum to %.6f, verdict minus V(root) is %.6f', total, difference) as detail
from expected
where abs(total - difference) > 1e-9
order by subject
