-- One row per problem and unit that holds it: its split and key there.
create table problem_units as

select distinct problem_id, unit_id, split, canonical_key
from read_parquet($problems, union_by_name = true)
order by unit_id, problem_id
