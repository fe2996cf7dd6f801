-- One row per prefix, policy and pipeline seed: the sum over its blocks, failed ones left out.
-- Every block that was drawn counts. first_… are of blocks wanted before any outcome of the prefix
-- was seen, else of fresh ones: unbiased under every rule, over all prefixes that have them.
-- fresh_… are of blocks drawn anew where the prefix was chosen for its outcome, as a pit is.
create table labels_by_seed as

with

drawn as (

    select
        prefix_id,
        policy_id,
        seed,
        count(*)::integer as num_blocks,
        sum(num_rollouts)::integer as num_rollouts,
        sum(num_correct)::integer as num_correct,
        sum(num_truncated)::integer as num_truncated,
        sum(num_unparsed)::integer as num_unparsed,
        sum(num_failed)::integer as num_failed,
        sum(generated_tokens)::bigint as generated_tokens,
        (sum(num_rollouts) filter (where stopping_rule = 'fixed'))::integer as fixed_rollouts,
        (sum(num_correct) filter (where stopping_rule = 'fixed'))::integer as fixed_correct,
        (sum(num_rollouts) filter (where stopping_rule = 'fresh'))::integer as fresh_rollouts,
        (sum(num_correct) filter (where stopping_rule = 'fresh'))::integer as fresh_correct,
        min(nullif(stopping_rule, 'fixed')) as least_rule,
        max(nullif(stopping_rule, 'fixed')) as greatest_rule
    from label_blocks
    group by all

)

select
    prefix_id,
    policy_id,
    seed,
    num_blocks,
    num_rollouts,
    num_correct,
    num_truncated,
    num_unparsed,
    num_failed,
    generated_tokens,
    coalesce(fixed_rollouts, fresh_rollouts) as first_rollouts,
    coalesce(fixed_correct, fresh_correct) as first_correct,
    fresh_rollouts,
    fresh_correct,
    case
        when least_rule <> greatest_rule then 'mixed'
        else coalesce(least_rule, 'fixed')
    end as stopping_rule
from drawn
order by prefix_id, policy_id, seed
