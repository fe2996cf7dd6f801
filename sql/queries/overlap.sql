-- One row per canonical key or question, case and space aside, in several splits; must be empty.
with

-- Where one question has several canonical keys its answer is part of the problem, as is the target
-- of a hand of countdown.
asked_problems as (

    select
        problem_id,
        split,
        case
            when
                min(canonical_key) over (partition by domain, question)
                <> max(canonical_key) over (partition by domain, question)
                then concat(question, ' = ', answer)
            else question
        end as asked
    from problems

),

keyed as (

    select 'canonical key' as same, canonical_key as problem, split, problem_id
    from problem_units
    union all
    select
        'question' as same,
        trim(regexp_replace(lower(asked), '\s+', ' ', 'g')) as problem,
        split,
        problem_id
    from asked_problems

)

select
    same,
    problem,
    string_agg(distinct split, ', ' order by split) as splits,
    string_agg(distinct problem_id, ', ' order by problem_id) as problem_ids
from keyed
where problem <> ''
group by same, problem
having count(distinct split) > 1
order by same, problem
