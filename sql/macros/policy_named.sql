-- Scalar: the policy that played a role in the last run that has it, or has this name or id.
create macro policy_named(wanted) as (
    coalesce(
        (
            select arg_max(run_policies.policy_id, (runs.recorded_at, runs.run_id))
            from run_policies
            inner join runs using (run_id)
            where run_policies.name = wanted
        ),
        (select min(policies.policy_id) from policies where policies.name = wanted),
        wanted
    )
)
