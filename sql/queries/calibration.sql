-- One row per verifier, pipeline seed, split and tenth of its score: mean score against the label.
with

labelled as (

    select
        verifier,
        pipeline_seed,
        split,
        least(floor(score * 10)::integer, 9) as tenth,
        score,
        num_correct / num_rollouts::double as label
    from scores
    where num_rollouts > 0

)

select
    verifier,
    pipeline_seed,
    split,
    tenth / 10e0 as score_from,
    count(*) as num_scores,
    avg(score) as mean_score,
    avg(label) as mean_label,
    avg(score) - avg(label) as gap
from labelled
group by verifier, pipeline_seed, split, tenth
order by verifier, pipeline_seed, split, tenth
