-- One row per prefix and prover: the 40 where a prover's value is farthest from the base's.
select
    prover_disagreement.prover,
    problems.question,
    problems.split,
    prover_disagreement.num_steps,
    prefixes.text,
    prover_disagreement.base_value,
    prover_disagreement.prover_value,
    prover_disagreement.difference,
    prover_disagreement.se,
    prover_disagreement.base_rollouts,
    prover_disagreement.prover_rollouts,
    prover_disagreement.prefix_id
from prover_disagreement
inner join prefixes using (prefix_id)
inner join problems on problems.problem_id = prover_disagreement.problem_id
where prover_disagreement.difference is not null
order by
    abs(prover_disagreement.difference) desc,
    prover_disagreement.se,
    prover_disagreement.prover,
    prover_disagreement.prefix_id
limit 40
