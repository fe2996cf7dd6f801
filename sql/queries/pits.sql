-- One row per policy and size of search: pits found by 0 of n, and what fresh rollouts say of them.
with

-- What found a pit: the blocks of first_pit's walk, else those that a search wanted at once.
found as (

    select
        prefix_id,
        policy_id,
        case
            when bool_or(stopping_rule = 'search') then 'search'
            when bool_or(stopping_rule = 'fresh') then 'fixed'
        end as finder
    from label_blocks
    group by prefix_id, policy_id

),

pits as (

    select
        label_blocks.prefix_id,
        label_blocks.policy_id,
        sum(label_blocks.num_rollouts)
            filter (where label_blocks.stopping_rule = found.finder) as search_rollouts,
        sum(label_blocks.num_correct)
            filter (where label_blocks.stopping_rule = found.finder) as search_correct,
        sum(label_blocks.num_rollouts)
            filter (where label_blocks.stopping_rule = 'fresh') as fresh_rollouts,
        sum(label_blocks.num_correct)
            filter (where label_blocks.stopping_rule = 'fresh') as fresh_correct
    from label_blocks
    inner join found using (prefix_id, policy_id)
    group by label_blocks.prefix_id, label_blocks.policy_id
    having search_rollouts > 0 and search_correct = 0

)

select
    coalesce(policies.name, pits.policy_id) as policy,
    pits.search_rollouts::bigint as search_rollouts,
    count(*) as num_pits,
    count(pits.fresh_rollouts) as num_reestimated,
    sum(pits.fresh_rollouts)::bigint as fresh_rollouts,
    sum(pits.fresh_correct)::bigint as fresh_correct,
    sum(pits.fresh_correct) / nullif(sum(pits.fresh_rollouts), 0)::double as fresh_share,
    count_if(pits.fresh_correct > 0) as num_refuted,
    pits.policy_id
from pits
left join policies using (policy_id)
group by policies.name, pits.policy_id, pits.search_rollouts
order by policy, pits.policy_id, pits.search_rollouts
