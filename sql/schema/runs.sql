-- One row per run: its settings and when it was recorded (UTC).
create table runs as

select run_id, recorded_at, run_id = $last_run as is_last, settings::json as settings
from read_parquet($runs)
order by recorded_at, run_id
