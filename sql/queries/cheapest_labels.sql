-- One row per policy, number of steps and stopping rule: what a bit of a label costs there.
-- A label's bits say how often its 95 % interval halved the interval from 0 to 1: Wilson's where
-- n was fixed, else the confidence sequence's, which holds whenever rollouts stopped.
with

-- Labels have few different counts, and a sequence's interval takes time.
widths as (

    select
        num_correct,
        num_rollouts,
        is_fixed,
        case
            when is_fixed
                then wilson_high(num_correct, num_rollouts) - wilson_low(num_correct, num_rollouts)
            else
                sequence_high(num_correct, num_rollouts) - sequence_low(num_correct, num_rollouts)
        end as width
    from (
        select distinct num_correct, num_rollouts, stopping_rule = 'fixed' as is_fixed
        from labels
        where num_rollouts > 0
    )

),

measured as (

    select
        labels.policy_id,
        prefixes.num_steps,
        labels.stopping_rule,
        labels.num_rollouts,
        labels.generated_tokens,
        widths.width
    from labels
    inner join prefixes using (prefix_id)
    inner join widths
        on widths.num_correct = labels.num_correct
        and widths.num_rollouts = labels.num_rollouts
        and widths.is_fixed = (labels.stopping_rule = 'fixed')

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
