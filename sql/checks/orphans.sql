-- One row per row that names a problem, solution, prefix or unit which is not there.
with

missing as (

    select solution_id as subject, 'solution of the unknown problem ' || problem_id as detail
    from solutions anti join problems using (problem_id)
    union all
    select prefix_id, 'prefix of the unknown problem ' || problem_id
    from prefixes anti join problems using (problem_id)
    union all
    select concat_ws(' ', prefix_id, policy_id), 'label of an unknown prefix'
    from labels anti join prefixes using (prefix_id)
    union all
    select concat_ws(' ', solution_id, num_steps), 'steps of an unknown solution'
    from solution_prefixes anti join solutions using (solution_id)
    union all
    select concat_ws(' ', solution_id, num_steps), 'steps that are the unknown prefix ' || prefix_id
    from solution_prefixes anti join prefixes using (prefix_id)
    union all
    select prefix_id, 'prefix of the unknown solution ' || coalesce(solution_id, 'null')
    from prefix_cuts anti join solutions using (solution_id)
    union all
    select prefix_id, 'prefix with the unknown parent ' || parent_id
    from prefixes anti join (select prefix_id as parent_id from prefixes) using (parent_id)
    where parent_id is not null
    union all
    select distinct coalesce(unit_id, 'null'), 'labels of an unknown unit'
    from label_blocks anti join units using (unit_id)
    union all
    select distinct coalesce(unit_id, 'null'), 'solutions of an unknown unit'
    from solutions anti join units using (unit_id)
    union all
    select distinct problem_id, 'search result of an unknown problem'
    from all_search_results anti join problems using (problem_id)

)

select subject, detail from missing
order by detail, subject
