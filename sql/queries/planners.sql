-- One row per policy and stopping rule: its blocks, rollouts, tokens and prefixes, and their share.
select
    coalesce(policies.name, label_blocks.policy_id) as policy,
    label_blocks.stopping_rule,
    count(*) as num_blocks,
    sum(label_blocks.num_rollouts)::bigint as num_rollouts,
    sum(label_blocks.num_correct)::bigint as num_correct,
    sum(label_blocks.generated_tokens)::bigint as generated_tokens,
    count(distinct label_blocks.prefix_id) as num_prefixes,
    sum(label_blocks.num_rollouts) / nullif(sum(sum(label_blocks.num_rollouts)) over (
        partition by label_blocks.policy_id
    ), 0)::double as share_of_rollouts,
    label_blocks.policy_id
from label_blocks
left join policies using (policy_id)
left join stopping_rules on stopping_rules.name = split_part(label_blocks.stopping_rule, ' ', 1)
group by
    policies.name, label_blocks.policy_id, label_blocks.stopping_rule, stopping_rules.rank
order by
    policy,
    label_blocks.policy_id,
    stopping_rules.rank nulls last,
    label_blocks.stopping_rule
