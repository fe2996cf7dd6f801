-- One row per policy, number of steps and stopping rule: what a bit of a label costs there.
-- A label's bits say how often its 95 % interval halved the interval from 0 to 1.
with

measured as (

    select
        labels.policy_id,
        prefixes.num_steps,
        labels.stopping_rule,
        labels.num_rollouts,
        labels.generated_tokens,
        wilson_high(labels.num_correct, labels.num_rollouts)
        - wilson_low(labels.num_correct, labels.num_rollouts) as width
    from labels
    inner join prefixes using (prefix_id)
    where labels.num_rollouts > 0

)

select
    coalesce(policies.name, measured.policy_id) as policy,
    measured.num_steps,
    measured.stopping_rule,
    count(*) as num_labels,
    sum(measured.num_rollouts)::bigint as num_rollouts,
    sum(measured.generated_tokens)::bigint as generated_tokens,
    avg(measured.width) as mean_width,
    sum(-log2(measured.width)) as bits,
    sum(measured.num_rollouts) / nullif(sum(-log2(measured.width)), 0) as rollouts_per_bit,
    sum(measured.generated_tokens) / nullif(sum(-log2(measured.width)), 0) as tokens_per_bit,
    measured.policy_id
from measured
left join policies using (policy_id)
group by policies.name, measured.policy_id, measured.num_steps, measured.stopping_rule
order by
    tokens_per_bit nulls last,
    policy,
    measured.policy_id,
    measured.num_steps,
    measured.stopping_rule
