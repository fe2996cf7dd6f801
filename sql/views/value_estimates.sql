-- One row per prefix and policy: value, standard error and 95 % Wilson interval.
-- A terminal prefix has its verdict for a value, error 0, for every policy that labelled anything.
create view value_estimates as

with

labelled as (

    select
        prefixes.prefix_id,
        prefixes.problem_id,
        prefixes.num_steps,
        prefixes.is_terminal,
        labels.policy_id,
        labels.num_rollouts,
        labels.num_correct,
        labels.first_rollouts,
        labels.first_correct,
        labels.fresh_rollouts,
        labels.fresh_correct,
        labels.num_correct / nullif(labels.num_rollouts, 0)::double as value,
        value_se(labels.num_correct, labels.num_rollouts) as se,
        wilson_low(labels.num_correct, labels.num_rollouts) as wilson_low,
        wilson_high(labels.num_correct, labels.num_rollouts) as wilson_high
    from labels
    inner join prefixes using (prefix_id)
    where not prefixes.is_terminal

),

labelling_policies as (

    select distinct policy_id from labels

),

terminal as (

    select
        prefixes.prefix_id,
        prefixes.problem_id,
        prefixes.num_steps,
        prefixes.is_terminal,
        labelling_policies.policy_id,
        null::integer as num_rollouts,
        null::integer as num_correct,
        null::integer as first_rollouts,
        null::integer as first_correct,
        null::integer as fresh_rollouts,
        null::integer as fresh_correct,
        (prefixes.verdict = 'correct')::integer::double as value,
        0e0 as se,
        value as wilson_low,
        value as wilson_high
    from prefixes
    cross join labelling_policies
    where prefixes.is_terminal and prefixes.verdict <> 'failed'

)

select
    prefix_id,
    problem_id,
    num_steps,
    is_terminal,
    policy_id,
    policy_name(policy_id) as policy,
    num_rollouts,
    num_correct,
    first_rollouts,
    first_correct,
    fresh_rollouts,
    fresh_correct,
    value,
    se,
    wilson_low,
    wilson_high
from labelled
union all
select
    prefix_id,
    problem_id,
    num_steps,
    is_terminal,
    policy_id,
    policy_name(policy_id) as policy,
    num_rollouts,
    num_correct,
    first_rollouts,
    first_correct,
    fresh_rollouts,
    fresh_correct,
    value,
    se,
    wilson_low,
    wilson_high
from terminal
