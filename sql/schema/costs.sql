-- One row per unit and cost item, such as seconds or generated_tokens.
create table costs as

select unit_id, stage, item, amount
from read_parquet($costs)
order by stage, unit_id, item
