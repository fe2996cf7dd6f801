-- One row per prefix, base policy and prover of one run: the prover's value minus the base's.
create view prover_disagreement as

select
    base_values.prefix_id,
    base_values.problem_id,
    base_values.num_steps,
    pairs.prover,
    pairs.base_policy_id,
    pairs.base_policy,
    pairs.prover_policy_id,
    pairs.prover_policy,
    base_values.value as base_value,
    prover_values.value as prover_value,
    prover_values.value - base_values.value as difference,
    sqrt(base_values.se ** 2 + prover_values.se ** 2) as se,
    base_values.num_rollouts as base_rollouts,
    prover_values.num_rollouts as prover_rollouts
from prover_pairs as pairs
inner join value_estimates as base_values on base_values.policy_id = pairs.base_policy_id
inner join value_estimates as prover_values
    on prover_values.policy_id = pairs.prover_policy_id
    and prover_values.prefix_id = base_values.prefix_id
where not base_values.is_terminal
