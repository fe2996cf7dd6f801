-- One row per distinct prefix; num_tokens by the base's tokenizer; verdict where terminal.
create table prefixes as

select
    prefix_id,
    problem_id,
    text,
    num_steps,
    num_tokens,
    is_terminal,
    verdict,
    unit_id
from read_parquet($prefixes, union_by_name = true)
qualify row_number() over (
    partition by prefix_id order by verdict is null, num_tokens is null, unit_id
) = 1
