-- One row per distinct prefix: where it ends in a solution that it is cut from, and its parent.
-- parent_id is the prefix without its last step. num_tokens are by the base's tokenizer.
create table prefix_cuts as

with

read_prefixes as (

    select
        prefix_id,
        problem_id,
        solution_id,
        num_steps,
        num_characters,
        num_tokens,
        is_terminal,
        verdict,
        unit_id
    from read_parquet($prefixes, union_by_name = true)
    qualify row_number() over (
        partition by prefix_id order by verdict is null, num_tokens is null, unit_id
    ) = 1

),

parents as (

    select children.prefix_id, min(steps.prefix_id) as parent_id
    from solution_prefixes as children
    inner join solution_prefixes as steps
        on steps.solution_id = children.solution_id and steps.num_steps = children.num_steps - 1
    group by children.prefix_id

)

select
    read_prefixes.prefix_id,
    read_prefixes.problem_id,
    parents.parent_id,
    read_prefixes.solution_id,
    read_prefixes.num_steps,
    read_prefixes.num_characters,
    read_prefixes.num_tokens,
    read_prefixes.is_terminal,
    read_prefixes.verdict,
    read_prefixes.unit_id
from read_prefixes
left join parents using (prefix_id)
