-- One row per policy that labelled, or whose imported solutions are labelled: its roles and name.
with

roles as (

    select run_policies.policy_id, run_policies.name
    from run_policies
    inner join runs using (run_id)
    where runs.is_last

),

own as (

    select policy_id, count(*) as num_labels from labels group by policy_id

),

imported as (

    select solutions.policy_id, count(*) as num_imported_labels
    from imported_labels
    inner join solutions using (solution_id)
    group by solutions.policy_id

),

known as (

    select policy_id from own
    union
    select policy_id from imported

)

select
    known.policy_id,
    coalesce(own.num_labels, 0) as num_labels,
    coalesce(imported.num_imported_labels, 0) as num_imported_labels,
    coalesce(policies.name, '') as name,
    coalesce(list_sort(list(roles.name) filter (where roles.name is not null)), []) as roles
from known
left join own using (policy_id)
left join imported using (policy_id)
left join roles using (policy_id)
left join policies using (policy_id)
group by known.policy_id, own.num_labels, imported.num_imported_labels, policies.name
order by known.policy_id
