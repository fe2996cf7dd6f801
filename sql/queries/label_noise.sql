-- One row per policy and step: how large advantages are beside the noise of their labels.
select
    coalesce(policies.name, advantages.policy_id) as policy,
    advantages.step,
    count(*) as num_steps,
    avg(advantages.value_before) as mean_value_before,
    avg(advantages.advantage) as mean_advantage,
    avg(abs(advantages.advantage)) as mean_size,
    sqrt(avg(advantages.se ** 2)) as root_mean_square_se,
    avg(
        (advantages.advantage_low > 0 or advantages.advantage_high < 0)::integer
    ) as share_beyond_noise,
    advantages.policy_id
from advantages
left join policies using (policy_id)
where advantages.advantage is not null
group by policies.name, advantages.policy_id, advantages.step
order by policy, advantages.policy_id, advantages.step
