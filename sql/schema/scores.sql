-- One row per verifier, pipeline seed and step end of a held-out solution: score and label.
create table scores as

select
    verifier,
    solution_id,
    problem_id,
    split,
    num_steps,
    prefix_id,
    score,
    num_correct,
    num_rollouts,
    is_terminal,
    pipeline_seed,
    unit_id
from read_parquet($scores, union_by_name = true)
