-- One row per file of a finished unit; path is relative to the store, num_bytes its size.
create table data_files as

select unit_id, name, path, sha256, num_rows, num_bytes
from read_parquet($data_files)
order by name, unit_id
