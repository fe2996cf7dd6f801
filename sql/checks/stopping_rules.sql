-- One row per stopping rule that no planner has, or one without its parameters.
with

written as (

    select stopping_rule, count(*) as num_blocks, min(prefix_id) as first_prefix
    from label_blocks
    group by stopping_rule

),

known as (

    select string_agg(name, ', ' order by rank) as names
    from stopping_rules

)

select
    coalesce(written.stopping_rule, 'null') as subject,
    printf(
        'unknown stopping rule of %d blocks, the first of %s; known are %s',
        written.num_blocks,
        written.first_prefix,
        known.names
    ) as detail
from written
cross join known
left join stopping_rules on stopping_rules.name = split_part(written.stopping_rule, ' ', 1)
where not coalesce(regexp_full_match(written.stopping_rule, stopping_rules.pattern), false)
order by subject
