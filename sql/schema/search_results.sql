-- One row per arm, problem and seeds of the last run that searched.
create table search_results as

with

last_search as (

    select runs.run_id
    from runs
    where runs.run_id in (select run_id from all_search_results)
    order by runs.recorded_at desc, runs.run_id desc
    limit 1

)

select
    all_search_results.run_id,
    all_search_results.strategy,
    all_search_results.verifier,
    all_search_results.prover,
    all_search_results.alpha,
    all_search_results.num_samples,
    all_search_results.split,
    all_search_results.problem_id,
    all_search_results.pipeline_seed,
    all_search_results.seed,
    all_search_results.final_pick,
    all_search_results.is_correct,
    all_search_results.is_any_correct,
    all_search_results.generated_tokens,
    all_search_results.scored_tokens,
    all_search_results.seconds,
    all_search_results.unit_id
from all_search_results
inner join last_search using (run_id)
