-- One row per policy, outcome and step of the first error: how many solutions it was found in.
select
    coalesce(policies.name, first_errors.policy_id) as policy,
    first_errors.status,
    first_errors.first_error,
    count(*) as num_solutions,
    count(*) / sum(count(*)) over (partition by first_errors.policy_id)::double as share,
    avg(first_errors.zero_rollouts) as mean_zero_rollouts,
    count_if(not first_errors.is_monotone) as num_not_monotone,
    avg(first_errors.num_labelled) as mean_num_labelled,
    first_errors.policy_id
from first_errors
left join policies using (policy_id)
group by
    policies.name, first_errors.policy_id, first_errors.status, first_errors.first_error
order by policy, first_errors.policy_id, first_errors.status, first_errors.first_error
