-- One row per problem (canonical key) that is in more than one split; must be empty.
select
    canonical_key,
    string_agg(distinct split, ', ' order by split) as splits,
    string_agg(distinct problem_id, ', ' order by problem_id) as problem_ids
from problem_units
group by canonical_key
having count(distinct split) > 1
order by canonical_key
