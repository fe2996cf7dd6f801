-- One row per run and role: the policy that played it.
create table run_policies as

select run_id, name, policy_id
from read_parquet($run_policies)
order by run_id, name
