-- One row per unit and policy that it sampled from: what the unit was asked, and what its rows say.
create view unit_policies as

select unit_id, parameters->>'$.policy_id' as policy_id
from units
where (parameters->>'$.policy_id') is not null

union

select unit_id, unnest(map_values(from_json(parameters->'$.policies', '"map(varchar, varchar)"')))
from units
where stage = 'sample' and (parameters->'$.policies') is not null

union

select unit_id, policy_id from label_blocks

union

select unit_id, policy_id from solutions
