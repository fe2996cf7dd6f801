-- One row per labelling policy: how often solutions share prefixes, and the tokens that this saved.
with

uses as (

    select prefix_id, count(*) as num_uses
    from solution_prefixes
    group by prefix_id

),

open_prefixes as (

    select
        labels.policy_id,
        count(*) as num_prefixes,
        sum(uses.num_uses) as num_uses,
        sum(labels.generated_tokens) as generated_tokens,
        sum(labels.generated_tokens * (uses.num_uses - 1)) as saved_tokens,
        sum(labels.num_rollouts * (uses.num_uses - 1)) as saved_rollouts
    from labels
    inner join uses using (prefix_id)
    group by labels.policy_id

),

sampled as (

    select
        policy_id,
        count(*) as num_solutions,
        count(distinct (problem_id, text)) as num_distinct_solutions
    from sampled_solutions
    group by policy_id

)

select
    coalesce(policies.name, open_prefixes.policy_id) as policy,
    coalesce(sampled.num_solutions, 0) as num_solutions,
    coalesce(sampled.num_distinct_solutions, 0) as num_distinct_solutions,
    open_prefixes.num_uses::bigint as num_open_states,
    open_prefixes.num_prefixes as num_distinct_prefixes,
    open_prefixes.generated_tokens::bigint as generated_tokens,
    open_prefixes.saved_tokens::bigint as saved_tokens,
    open_prefixes.saved_rollouts::bigint as saved_rollouts,
    open_prefixes.saved_tokens
    / nullif(open_prefixes.saved_tokens + open_prefixes.generated_tokens, 0)::double
        as share_saved,
    open_prefixes.policy_id
from open_prefixes
left join sampled using (policy_id)
left join policies using (policy_id)
order by policy, open_prefixes.policy_id
