-- One row per key that stands twice in a table.
with

repeated as (

    select 'problems' as subject_table, problem_id as subject
    from problems group by all having count(*) > 1
    union all
    select 'policies', policy_id from policies group by all having count(*) > 1
    union all
    select 'solutions', solution_id from solutions group by all having count(*) > 1
    union all
    select 'prefixes', prefix_id from prefixes group by all having count(*) > 1
    union all
    select 'solution_prefixes', concat_ws(' ', solution_id, num_steps)
    from solution_prefixes group by all having count(*) > 1
    union all
    select 'label_blocks', concat_ws(' ', prefix_id, policy_id, seed, block)
    from label_blocks group by all having count(*) > 1
    union all
    select 'labels', concat_ws(' ', prefix_id, policy_id)
    from labels group by all having count(*) > 1
    union all
    select 'labels_by_seed', concat_ws(' ', prefix_id, policy_id, seed)
    from labels_by_seed group by all having count(*) > 1
    union all
    select 'units', unit_id from units group by all having count(*) > 1
    union all
    select 'runs', run_id from runs group by all having count(*) > 1
    union all
    select
        'all_search_results',
        concat_ws(
            ' ', run_id, strategy, verifier, prover, alpha, num_samples, final_pick, split,
            problem_id, pipeline_seed, seed
        )
    from all_search_results group by all having count(*) > 1

)

select subject, 'more than one row in ' || subject_table as detail from repeated
order by subject_table, subject
