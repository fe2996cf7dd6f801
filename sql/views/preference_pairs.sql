-- One row per policy and preferred over refused prefix: rStar-Math's pairs (arXiv 2501.04519, 3.3).
-- Of each parent's next steps the 2 of highest value that some right solution took, over the 2 of
-- lowest value that some wrong one took; at the end whole solutions, by the mean of their values.
create view preference_pairs as

with

children as (

    select
        prefixes.parent_id as prefix_id,
        prefixes.prefix_id as child_id,
        prefixes.num_steps as step,
        bool_or(solutions.verdict = 'correct') as is_of_right,
        bool_or(solutions.verdict = 'wrong') as is_of_wrong
    from prefixes
    inner join solution_prefixes using (prefix_id)
    inner join solutions using (solution_id)
    where not prefixes.is_terminal
    group by prefixes.parent_id, prefixes.prefix_id, prefixes.num_steps

),

steps as (

    select
        'step' as kind,
        value_estimates.problem_id,
        value_estimates.policy_id,
        children.prefix_id,
        children.step,
        children.child_id,
        children.is_of_right,
        children.is_of_wrong,
        value_estimates.value
    from children
    inner join value_estimates on value_estimates.prefix_id = children.child_id
    where not value_estimates.is_terminal and value_estimates.value is not null

),

means as (

    select solution_id, policy_id, avg(value) as value
    from step_values
    where num_steps > 0
    group by solution_id, policy_id
    having not bool_and(is_terminal)

),

-- Equal solutions have one terminal prefix and stand once.
whole as (

    select
        'solution' as kind,
        solutions.problem_id,
        means.policy_id,
        roots.prefix_id,
        null::integer as step,
        ends.prefix_id as child_id,
        bool_or(solutions.verdict = 'correct') as is_of_right,
        bool_or(solutions.verdict = 'wrong') as is_of_wrong,
        any_value(means.value) as value
    from means
    inner join solutions using (solution_id)
    inner join solution_prefixes as roots
        on roots.solution_id = means.solution_id and roots.num_steps = 0
    inner join solution_prefixes as ends
        on ends.solution_id = means.solution_id and ends.num_steps = solutions.num_steps
    inner join prefixes on prefixes.prefix_id = ends.prefix_id
    where prefixes.is_terminal
    group by solutions.problem_id, means.policy_id, roots.prefix_id, ends.prefix_id

),

candidates as materialized (

    select * from steps
    union all
    select * from whole

),

-- Ranking is what costs, and most prefixes have no two next steps to choose between.
rivals as materialized (

    select candidates.*
    from candidates
    semi join (
        select kind, prefix_id, policy_id
        from candidates
        group by kind, prefix_id, policy_id
        having count(*) > 1 and bool_or(is_of_right) and bool_or(is_of_wrong)
    ) as contested using (kind, prefix_id, policy_id)

),

preferred as (

    select *
    from rivals
    where is_of_right
    qualify row_number() over (
        partition by kind, prefix_id, policy_id order by value desc, child_id
    ) <= 2

),

refused as (

    select *
    from rivals
    where is_of_wrong
    qualify row_number() over (
        partition by kind, prefix_id, policy_id order by value, child_id
    ) <= 2

)

select
    preferred.problem_id,
    preferred.policy_id,
    policy_name(preferred.policy_id) as policy,
    preferred.kind,
    preferred.step,
    preferred.prefix_id,
    preferred.child_id as preferred_prefix_id,
    refused.child_id as refused_prefix_id,
    preferred.value as preferred_value,
    refused.value as refused_value
from preferred
inner join refused using (kind, prefix_id, policy_id)
where preferred.kind = 'solution' or preferred.value > refused.value
