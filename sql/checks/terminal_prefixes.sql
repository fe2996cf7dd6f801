-- One row per terminal prefix that was rolled out, or has no verdict.
with

faults as (

    select prefix_id as subject, 'terminal prefix has rollouts' as detail
    from prefixes semi join labels using (prefix_id)
    where is_terminal
    union all
    select prefix_id, 'terminal prefix without a verdict'
    from prefixes
    left join units using (unit_id)
    where is_terminal and (
        -- An imported solution has no verdict where there is no answer to check.
        (verdict is null and stage is distinct from 'import')
        or verdict not in ('correct', 'wrong', 'truncated', 'unparsed', 'failed')
    )

)

select subject, detail from faults
order by subject, detail
