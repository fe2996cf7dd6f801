-- One row per policy and kind of sample: how many were cut off, unreadable or failed.
with

counted as (

    select
        policy_id,
        'rollouts' as kind,
        num_rollouts + num_failed as num_samples,
        num_correct,
        num_truncated,
        num_unparsed,
        num_failed
    from label_blocks
    union all
    select
        policy_id,
        'solutions',
        1,
        (verdict = 'correct')::integer,
        (verdict = 'truncated')::integer,
        (verdict = 'unparsed')::integer,
        (verdict = 'failed')::integer
    from sampled_solutions

)

select
    coalesce(policies.name, counted.policy_id) as policy,
    counted.kind,
    sum(counted.num_samples)::bigint as num_samples,
    sum(counted.num_correct)::bigint as num_correct,
    sum(counted.num_truncated)::bigint as num_truncated,
    sum(counted.num_unparsed)::bigint as num_unparsed,
    sum(counted.num_failed)::bigint as num_failed,
    sum(counted.num_truncated) / nullif(sum(counted.num_samples), 0)::double as share_truncated,
    sum(counted.num_unparsed) / nullif(sum(counted.num_samples), 0)::double as share_unparsed,
    sum(counted.num_failed) / nullif(sum(counted.num_samples), 0)::double as share_failed,
    counted.policy_id
from counted
left join policies using (policy_id)
group by policies.name, counted.policy_id, counted.kind
order by policy, counted.policy_id, counted.kind
