-- One row per finished unit of work; sizes in bytes, created_at in UTC.
create table units as

select
    unit_id,
    stage,
    name,
    revision,
    parameters::json as parameters,
    inputs::json as inputs,
    num_files,
    num_rows,
    num_bytes,
    versions::json as versions,
    schema_version,
    created_at
from read_parquet($units)
order by stage, name, unit_id
