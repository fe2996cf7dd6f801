-- One row per label that is not the sum of its blocks.
with

sums as (

    select
        prefix_id,
        policy_id,
        sum(num_rollouts) as num_rollouts,
        sum(num_correct) as num_correct
    from label_blocks
    group by prefix_id, policy_id

)

select
    concat_ws(' ', prefix_id, policy_id) as subject,
    printf(
        'label has %d of %d, its blocks %d of %d',
        labels.num_correct,
        labels.num_rollouts,
        sums.num_correct::bigint,
        sums.num_rollouts::bigint
    ) as detail
from labels
full join sums using (prefix_id, policy_id)
where
    labels.num_rollouts is distinct from sums.num_rollouts
    or labels.num_correct is distinct from sums.num_correct
order by subject
