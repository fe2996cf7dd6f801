-- One row per row that names a problem, solution, prefix or policy which is not there.
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
    select distinct problem_id, 'search result of an unknown problem'
    from all_search_results anti join problems using (problem_id)

)

select subject, detail from missing
order by detail, subject
