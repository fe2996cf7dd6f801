-- Scalar: the name of a policy as `policies.policy` has it; the id itself of one no run names.
create macro policy_name(wanted_id) as (
    coalesce(
        (select policies.policy from policies where policies.policy_id = wanted_id),
        wanted_id
    )
)
