-- One row per base policy and prover that were one in a run, by the prover's role.
create view prover_pairs as

select distinct
    bases.policy_id as base_policy_id,
    policy_name(bases.policy_id) as base_policy,
    provers.policy_id as prover_policy_id,
    policy_name(provers.policy_id) as prover_policy,
    provers.name as prover
from run_policies as bases
inner join run_policies as provers using (run_id)
where bases.name = 'base' and provers.policy_id <> bases.policy_id
