-- One row per policy, split, verdict and reason: how many sampled solutions ended so.
select
    coalesce(policies.name, sampled_solutions.policy_id) as policy,
    problems.split,
    sampled_solutions.verdict,
    sampled_solutions.reason,
    count(*) as num_solutions,
    count(*) / sum(count(*)) over (
        partition by sampled_solutions.policy_id, problems.split
    )::double as share,
    sampled_solutions.policy_id
from sampled_solutions
inner join problems using (problem_id)
left join policies using (policy_id)
group by
    policies.name,
    sampled_solutions.policy_id,
    problems.split,
    sampled_solutions.verdict,
    sampled_solutions.reason
order by
    policy,
    sampled_solutions.policy_id,
    problems.split,
    num_solutions desc,
    sampled_solutions.verdict,
    sampled_solutions.reason
