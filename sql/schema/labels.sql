-- One row per prefix and policy: the sum over all pipeline seeds and blocks, failed left out.
create table labels as

select
    prefix_id,
    policy_id,
    count(*)::integer as num_blocks,
    sum(num_rollouts)::integer as num_rollouts,
    sum(num_correct)::integer as num_correct,
    sum(num_truncated)::integer as num_truncated,
    sum(num_unparsed)::integer as num_unparsed,
    sum(num_failed)::integer as num_failed,
    sum(generated_tokens)::bigint as generated_tokens,
    case
        when min(stopping_rule) <> max(stopping_rule) then 'mixed' else min(stopping_rule)
    end as stopping_rule
from label_blocks
group by prefix_id, policy_id
order by prefix_id, policy_id
