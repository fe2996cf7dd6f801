-- One row per solution, number of its first steps, format, kind and labeler: what a file says.
create table imported_labels as

select
    solution_id,
    num_steps,
    prefix_id,
    format,
    kind,
    value,
    labeler,
    unit_id
from read_parquet($imported_labels, union_by_name = true)
qualify row_number() over (
    partition by solution_id, num_steps, format, kind, labeler order by unit_id
) = 1
