-- One row per rule by which a planner wants a block: its first word, its rank, pattern and meaning.
-- A block that was wanted by several goes by the one of the lowest rank.
create table stopping_rules as

select name, rank, pattern, meaning
from read_parquet($stopping_rules)
order by rank
