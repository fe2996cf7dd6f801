-- One row per run, arm, problem and seeds; seconds is the arm's wall time shared over its problems.
create table all_search_results as

select
    run_units.run_id,
    results.search_id,
    results.policy_id,
    results.strategy,
    results.verifier,
    results.prover,
    results.alpha,
    results.num_samples,
    results.split,
    results.problem_id,
    results.pipeline_seed,
    results.seed,
    results.final_pick,
    results.is_correct,
    results.is_any_correct,
    results.response,
    results.beams_cut_off,
    results.num_candidates,
    results.generated_tokens,
    results.scored_prefixes,
    results.scored_tokens,
    results.seconds,
    results.unit_id
from read_parquet($search_results, union_by_name = true) as results
inner join run_units using (unit_id)
