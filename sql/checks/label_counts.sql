-- One row per label block or label whose counts cannot be.
with

counted as (

    select
        concat_ws(' ', prefix_id, policy_id, seed, block) as subject,
        num_rollouts, num_correct, num_truncated, num_unparsed, num_failed
    from label_blocks
    union all
    select
        concat_ws(' ', prefix_id, policy_id) as subject,
        num_rollouts, num_correct, num_truncated, num_unparsed, num_failed
    from labels
    union all
    -- What was wanted before any outcome, or anew, is a part of what was drawn.
    select
        concat_ws(' ', prefix_id, policy_id, 'first') as subject,
        first_rollouts, first_correct, 0, 0, 0
    from labels
    where first_rollouts is not null or first_correct is not null
    union all
    select
        concat_ws(' ', prefix_id, policy_id, 'fresh') as subject,
        fresh_rollouts, fresh_correct, 0, 0, 0
    from labels
    where fresh_rollouts is not null or fresh_correct is not null

)

select
    subject,
    printf(
        '%d correct, %d truncated, %d unparsed of %d rollouts, %d failed',
        num_correct, num_truncated, num_unparsed, num_rollouts, num_failed
    ) as detail
from counted
where coalesce(
    least(num_rollouts, num_correct, num_truncated, num_unparsed, num_failed) < 0
    or num_correct + num_truncated + num_unparsed > num_rollouts,
    true
)
order by subject
