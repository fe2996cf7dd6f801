-- One row per problem that yielded no credit to learn from, and why; the barren ones first.
with

sampled as (

    select
        problem_id,
        count(*) as num_solutions,
        count_if(verdict = 'correct') as num_correct,
        count_if(verdict = 'truncated') as num_truncated,
        count_if(verdict = 'unparsed') as num_unparsed,
        count_if(verdict = 'failed') as num_failed,
        mode(nullif(reason, '') order by reason) as commonest_reason
    from sampled_solutions
    group by problem_id

),

rolled_out as (

    select
        prefixes.problem_id,
        sum(labels.num_rollouts)::bigint as num_rollouts,
        sum(labels.num_correct)::bigint as num_correct_rollouts
    from labels
    inner join prefixes using (prefix_id)
    group by prefixes.problem_id

)

select
    problems.problem_id,
    problems.question,
    problems.split,
    coalesce(sampled.num_solutions, 0) as num_solutions,
    coalesce(sampled.num_correct, 0) as num_correct,
    coalesce(sampled.num_truncated, 0) as num_truncated,
    coalesce(sampled.num_unparsed, 0) as num_unparsed,
    coalesce(sampled.num_failed, 0) as num_failed,
    coalesce(rolled_out.num_rollouts, 0) as num_rollouts,
    coalesce(rolled_out.num_correct_rollouts, 0) as num_correct_rollouts,
    case
        when sampled.num_solutions is null then 'not sampled'
        when sampled.num_failed = sampled.num_solutions then 'every sample failed'
        when coalesce(rolled_out.num_rollouts, 0) = 0 then 'no rollouts'
        when rolled_out.num_correct_rollouts = rolled_out.num_rollouts then 'always solved'
        when rolled_out.num_correct_rollouts > 0 then 'only rollouts solve it'
        else 'no correct response anywhere'
    end as outcome,
    sampled.commonest_reason
from problems
left join sampled using (problem_id)
left join rolled_out using (problem_id)
where
    -- Imported problems without an answer can yield none.
    problems.answer <> ''
    and (
        coalesce(sampled.num_correct, 0) = 0
        or coalesce(rolled_out.num_rollouts, 0) = 0
        or rolled_out.num_correct_rollouts = rolled_out.num_rollouts
    )
order by
    outcome = 'no correct response anywhere' desc,
    num_correct_rollouts,
    problems.split,
    problems.question
