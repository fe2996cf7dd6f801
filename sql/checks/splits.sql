-- One row per problem in two splits, or searched or scored under another split than its own.
with

faults as (

    select canonical_key as subject, 'canonical key in the splits ' || splits as detail
    from (
        select canonical_key, string_agg(distinct split, ', ' order by split) as splits
        from (
            select canonical_key, split, unit_id from problems
            union
            select canonical_key, split, unit_id from problem_units
        )
        -- Nothing is trained on what was imported, and most files name no split.
        anti join (select unit_id from units where stage = 'import') using (unit_id)
        group by canonical_key
        having count(distinct split) > 1
    )
    union all
    select distinct
        problem_id, 'searched as ' || all_search_results.split || ', is ' || problems.split
    from all_search_results inner join problems using (problem_id)
    where all_search_results.split <> problems.split
    union all
    select distinct problem_id, 'scored as ' || scores.split || ', is ' || problems.split
    from scores inner join problems using (problem_id)
    where scores.split <> problems.split

)

select subject, detail from faults
order by subject, detail
