-- One row per label (prefix and policy): counts, value, 95 % Wilson interval and cost in tokens.
with

-- Sorting a few problems and then by a number spares comparing a question for each label.
asked as (

    select
        problem_id,
        question,
        split,
        row_number() over (order by split, question, problem_id) as place
    from problems

)

select
    asked.question,
    asked.split,
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
    labels.first_correct,
    labels.first_rollouts,
    labels.fresh_correct,
    labels.fresh_rollouts,
    labels.generated_tokens,
    labels.prefix_id,
    labels.policy_id
from labels
inner join prefixes using (prefix_id)
inner join asked using (problem_id)
left join policies using (policy_id)
order by
    asked.place,
    prefixes.num_steps,
    prefixes.text,
    policy,
    labels.policy_id
