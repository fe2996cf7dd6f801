-- One row per solution: a full response of a policy to a problem, and its verdict.
create table solutions as

select distinct on (solution_id)
    solution_id,
    problem_id,
    policy_id,
    sample,
    steps,
    text,
    num_steps,
    verdict,
    reason,
    wrong_step,
    finish_reason,
    num_tokens,
    seed,
    unit_id
from read_parquet($solutions, union_by_name = true)
order by solution_id, unit_id
