-- One row per solution and number of its first steps (0 is the bare problem): the prefix they are.
create table solution_prefixes as

select distinct on (solution_id, num_steps) solution_id, num_steps, prefix_id, unit_id
from read_parquet($solution_prefixes, union_by_name = true)
order by solution_id, num_steps, unit_id
