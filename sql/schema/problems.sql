-- One row per problem, as the newest unit has it: one that knows its answer, if possible no import.
-- `prompt` is what policies see before the first step, by the settings of that unit.
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

    select
        read_problems.*,
        prompts.prompt,
        units.created_at,
        units.stage = 'import' as is_imported
    from read_problems
    left join read_parquet($units) as units using (unit_id)
    left join read_parquet($prompts) as prompts using (problem_id, unit_id)

)

select
    problem_id,
    domain,
    question,
    prompt,
    answer,
    answer_source,
    split,
    source,
    canonical_key,
    unit_id
from dated
qualify row_number() over (
    partition by problem_id
    order by answer = '', is_imported is true, created_at desc nulls last, unit_id
) = 1
