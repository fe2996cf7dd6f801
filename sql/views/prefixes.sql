-- One row per distinct prefix, with its text; num_tokens by the base's tokenizer.
-- Texts are cut when they are asked for: written out, each step stands there once a later prefix.
create view prefixes as
select
    prefix_cuts.prefix_id,
    prefix_cuts.problem_id,
    prefix_cuts.parent_id,
    left(solutions.text, prefix_cuts.num_characters) as text,
    prefix_cuts.num_steps,
    prefix_cuts.num_tokens,
    prefix_cuts.is_terminal,
    prefix_cuts.verdict,
    prefix_cuts.unit_id
from prefix_cuts
left join solutions using (solution_id)
