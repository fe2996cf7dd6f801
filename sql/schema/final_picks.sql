-- One row per search that goes step by step and final pick: what the pick would have taken.
create table final_picks as

select search_id, pick, is_correct, unit_id
from read_parquet($final_picks, union_by_name = true)
