-- One row per policy, split, verdict and reason: how many sampled solutions ended so.
select
    coalesce(policies.name, solutions.policy_id) as policy,
    problems.split,
    solutions.verdict,
    solutions.reason,
    count(*) as num_solutions,
    count(*) / sum(count(*)) over (
        partition by solutions.policy_id, problems.split
    )::double as share,
    solutions.policy_id
from solutions
inner join problems using (problem_id)
left join policies using (policy_id)
group by policies.name, solutions.policy_id, problems.split, solutions.verdict, solutions.reason
order by
    policy,
    solutions.policy_id,
    problems.split,
    num_solutions desc,
    solutions.verdict,
    solutions.reason
