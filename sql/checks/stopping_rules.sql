-- One row per stopping rule that no planner has, or sequential rule without its parameters.
select
    coalesce(stopping_rule, 'null') as subject,
    printf(
        'unknown stopping rule of %d blocks; the first is %s', count(*), min(prefix_id)
    ) as detail
from label_blocks
where
    stopping_rule is null
    or not (
        stopping_rule in ('fixed', 'allocated', 'fresh', 'search')
        or regexp_full_match(
            stopping_rule,
            'sequential block=\d+ width=\S+ threshold=\S+ confidence=\S+ most=\d+'
        )
    )
group by stopping_rule
order by subject
