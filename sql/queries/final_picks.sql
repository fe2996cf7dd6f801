-- One row per arm and final pick of the last run: accuracy in [0, 1] if that pick had been used.
with

problem_means as (

    select
        split,
        strategy,
        verifier,
        prover,
        alpha,
        num_samples,
        pick,
        problem_id,
        bool_and(pick = final_pick) as is_used,
        avg(final_picks.is_correct::integer) as accuracy
    from search_results
    inner join final_picks using (search_id)
    group by all

)

select
    split,
    strategy,
    verifier,
    prover,
    alpha,
    num_samples,
    pick,
    bool_and(is_used) as is_used,
    count(*) as num_problems,
    avg(accuracy) as accuracy,
    stddev_samp(accuracy) / sqrt(count(*)) as accuracy_se
from problem_means
group by all
order by split, num_samples, strategy, verifier, prover, alpha, pick
