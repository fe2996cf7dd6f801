-- One row per step and prover: the 40 steps that base and prover judge most differently.
with

judged as (

    select
        prover_pairs.prover,
        of_base.problem_id,
        of_base.step,
        of_base.prefix_id_after,
        of_base.advantage as base_advantage,
        of_prover.advantage as prover_advantage,
        of_prover.advantage - of_base.advantage as difference,
        sqrt(of_base.se ** 2 + of_prover.se ** 2) as se
    from prover_pairs
    inner join step_advantages as of_base on of_base.policy_id = prover_pairs.base_policy_id
    inner join step_advantages as of_prover
        on of_prover.policy_id = prover_pairs.prover_policy_id
        and of_prover.prefix_id_after = of_base.prefix_id_after
    where difference is not null
    order by abs(difference) desc, se, prover_pairs.prover, of_base.prefix_id_after
    limit 40

),

shown as (

    select judged.*, min(solution_prefixes.solution_id) as solution_id
    from judged
    inner join solution_prefixes on solution_prefixes.prefix_id = judged.prefix_id_after
    group by all

)

select
    shown.prover,
    problems.question,
    problems.split,
    shown.step,
    rtrim(solutions.steps[shown.step], chr(10)) as step_text,
    shown.base_advantage,
    shown.prover_advantage,
    shown.difference,
    shown.se,
    shown.base_advantage * shown.prover_advantage < 0 as is_opposed,
    shown.solution_id
from shown
inner join problems using (problem_id)
inner join solutions using (solution_id)
order by abs(shown.difference) desc, shown.se, shown.prover, shown.prefix_id_after
