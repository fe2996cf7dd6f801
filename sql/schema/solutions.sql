-- One row per solution: a full response of a policy to a problem, and its verdict.
create table solutions as

select
    solution_id,
    problem_id,
    policy_id,
    sample,
    coalesce(sample >= 1000000, false) as is_searched,
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
qualify row_number() over (
    partition by solution_id order by verdict is null, num_tokens is null, unit_id
) = 1
