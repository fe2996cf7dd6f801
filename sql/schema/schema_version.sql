-- One row: the version of these tables, and when they were built (UTC).
create table schema_version as

select $version::integer as version, $built_at::timestamp as built_at
