-- One row per run and unit it used.
create table run_units as

select distinct run_id, unit_id
from read_parquet($run_units)
order by run_id, unit_id
