-- One row per problem, as the newest unit has it that knows its answer (imports may not).
create table problems as

with

read_problems as (

    select
        problem_id,
        domain,
        question,
        answer,
        answer_source,
        split,
        source,
        canonical_key,
        unit_id
    from read_parquet($problems, union_by_name = true)

),

dated as (

    select read_problems.*, units.created_at
    from read_problems
    left join read_parquet($units) as units using (unit_id)

)

select
    problem_id,
    domain,
    question,
    answer,
    answer_source,
    split,
    source,
    canonical_key,
    unit_id
from dated
qualify row_number() over (
    partition by problem_id order by answer = '', created_at desc nulls last, unit_id
) = 1
