-- One row per arm of the last run: accuracy in [0, 1], its error over problems, cost per problem.
with

problem_means as (

    select
        split,
        strategy,
        verifier,
        prover,
        alpha,
        num_samples,
        final_pick,
        problem_id,
        count(*) as num_searches,
        avg(is_correct::integer) as accuracy,
        avg(is_any_correct::integer) as pass_rate,
        avg(num_candidates) as num_candidates,
        avg(generated_tokens) as generated_tokens,
        avg(scored_prefixes) as scored_prefixes,
        avg(scored_tokens) as scored_tokens,
        avg(seconds) as seconds
    from search_results
    group by
        split, strategy, verifier, prover, alpha, num_samples, final_pick, problem_id

)

select
    split,
    strategy,
    verifier,
    prover,
    alpha,
    num_samples,
    final_pick,
    count(*) as num_problems,
    sum(num_searches)::bigint as num_searches,
    avg(accuracy) as accuracy,
    stddev_samp(accuracy) / sqrt(count(*)) as accuracy_se,
    avg(pass_rate) as pass_rate,
    avg(num_candidates) as num_candidates,
    avg(generated_tokens) as generated_tokens,
    avg(scored_prefixes) as scored_prefixes,
    avg(scored_tokens) as scored_tokens,
    avg(seconds) as seconds
from problem_means
group by split, strategy, verifier, prover, alpha, num_samples, final_pick
order by split, num_samples, strategy, verifier, prover, alpha, final_pick
