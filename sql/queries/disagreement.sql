-- One row per prefix and prover: the 40 where a prover's value is farthest from the base's.
with

-- Chosen before texts are cut, which is what costs.
farthest as (

    select *
    from prover_disagreement
    where difference is not null
    order by abs(difference) desc, se, prover, prefix_id
    limit 40

)

select
    farthest.prover,
    problems.question,
    problems.split,
    farthest.num_steps,
    prefixes.text,
    farthest.base_value,
    farthest.prover_value,
    farthest.difference,
    farthest.se,
    farthest.base_rollouts,
    farthest.prover_rollouts,
    farthest.prefix_id
from farthest
inner join prefixes using (prefix_id)
inner join problems on problems.problem_id = farthest.problem_id
order by
    abs(farthest.difference) desc,
    farthest.se,
    farthest.prover,
    farthest.prefix_id
