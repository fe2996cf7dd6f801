-- One row per label (prefix and policy): counts, value, 95 % Wilson interval and cost in tokens.
select
    problems.question,
    problems.split,
    prefixes.num_steps,
    prefixes.text,
    coalesce(policies.name, labels.policy_id) as policy,
    labels.num_correct,
    labels.num_rollouts,
    labels.num_truncated,
    labels.num_unparsed,
    labels.num_failed,
    labels.num_correct / nullif(labels.num_rollouts, 0)::double as value,
    wilson_low(labels.num_correct, labels.num_rollouts) as wilson_low,
    wilson_high(labels.num_correct, labels.num_rollouts) as wilson_high,
    labels.stopping_rule,
    labels.generated_tokens,
    labels.prefix_id,
    labels.policy_id
from labels
inner join prefixes using (prefix_id)
inner join problems using (problem_id)
left join policies using (policy_id)
order by
    problems.split,
    problems.question,
    prefixes.num_steps,
    prefixes.text,
    policy,
    labels.policy_id
