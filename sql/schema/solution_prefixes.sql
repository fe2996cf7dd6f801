-- One row per solution and number of its first steps (0 is the bare problem): the prefix they are.
create table solution_prefixes as

select solution_id, num_steps, prefix_id, unit_id
from read_parquet($solution_prefixes, union_by_name = true)
qualify row_number() over (
    partition by solution_id, num_steps order by unit_id
) = 1
