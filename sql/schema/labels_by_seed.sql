-- One row per prefix, policy and pipeline seed: the sum over its counted blocks, failed left out.
-- Blocks wanted whatever came out, or by a rule over all counts, else fresh ones, else those of
-- the search; first_… are of blocks wanted before any outcome, unbiased under every rule.
create table labels_by_seed as

with

classed as (

    select label_blocks.*, label_class(stopping_rule) as class
    from label_blocks

),

chosen as (

    select
        prefix_id,
        policy_id,
        seed,
        min(class) as class,
        coalesce(
            sum(num_rollouts) filter (where stopping_rule = 'fixed'),
            sum(num_rollouts) filter (where stopping_rule = 'fresh')
        )::integer as first_rollouts,
        coalesce(
            sum(num_correct) filter (where stopping_rule = 'fixed'),
            sum(num_correct) filter (where stopping_rule = 'fresh')
        )::integer as first_correct
    from classed
    group by all

)

select
    prefix_id,
    policy_id,
    seed,
    count(*)::integer as num_blocks,
    sum(classed.num_rollouts)::integer as num_rollouts,
    sum(classed.num_correct)::integer as num_correct,
    sum(classed.num_truncated)::integer as num_truncated,
    sum(classed.num_unparsed)::integer as num_unparsed,
    sum(classed.num_failed)::integer as num_failed,
    sum(classed.generated_tokens)::bigint as generated_tokens,
    any_value(chosen.first_rollouts) as first_rollouts,
    any_value(chosen.first_correct) as first_correct,
    case
        when min(nullif(classed.stopping_rule, 'fixed'))
            <> max(nullif(classed.stopping_rule, 'fixed')) then 'mixed'
        else coalesce(min(nullif(classed.stopping_rule, 'fixed')), 'fixed')
    end as stopping_rule
from classed
inner join chosen using (prefix_id, policy_id, seed, class)
group by prefix_id, policy_id, seed
order by prefix_id, policy_id, seed
