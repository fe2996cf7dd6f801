"""The kinds `orm_all` and `orm_seed`: outcome verifiers, fitted to verdicts at the end alone."""

import polars as pl

from pav.models.labels.sampling_measure import Completion
from pav.models.settings import RunSettings
from pav.models.splits import SPLITS
from pav.models.verifiers.completions import rollout_completions, solution_completions
from pav.models.verifiers.data import TargetSequence, outcome_sequences, target_sequences
from pav.models.verifiers.kind import CardWords, Kind, VerifierSpec, VerifierWork
from pav.models.verifiers.published import Published


def _spec(name: str, settings: RunSettings) -> VerifierSpec:
    return VerifierSpec(
        name=name, heads=(name,), policies=("base",), best_of_k=(1,), steps=settings.train.steps
    )


def _of_seeds(
    work: VerifierWork, published: Published, /, *, held_out: bool
) -> list[TargetSequence]:
    # Both ORMs are stopped and calibrated by all completions of the validation problems, since a
    # verdict is the same whatever its rollout was drawn for.
    if held_out:
        return _of_all(work, published, held_out=held_out)
    return target_sequences([outcome_sequences(_seeds(work, published), [])])


def _of_all(work: VerifierWork, published: Published, /, *, held_out: bool) -> list[TargetSequence]:
    rollouts = rollout_completions(
        published.rollouts, published.prefixes, policy_id=work.policies["base"]
    )
    return target_sequences([outcome_sequences(_seeds(work, published), rollouts)])


def _seeds(work: VerifierWork, published: Published) -> list[Completion]:
    of_base = pl.col("policy_id") == work.policies["base"]
    return solution_completions(published.solutions.filter(of_base))


def _card(data: str) -> CardWords:
    return CardWords(
        equation="the chance that the finished solution is right",
        data=data,
        targets="the verdict of the solution, 0 or 1",
        meaning="Only the score at the end of a finished response was trained; those before it "
        "mean nothing.",
    )


_NOTE = "it was trained at the end of finished responses alone"
ORM_ALL = Kind(
    specs=lambda settings: [_spec("orm_all", settings)],
    examples=_of_all,
    card=lambda _: _card("the last step of every graded full completion that the labels paid for"),
    titles={"orm_all": "ORM, all completions"},
    score_note=_NOTE,
)
ORM_SEED = Kind(
    specs=lambda settings: [_spec("orm_seed", settings)],
    examples=_of_seeds,
    card=lambda _: _card("the last step of the base policy's sampled solutions"),
    titles={"orm_seed": "ORM, seed solutions"},
    # Labels of training problems are not needed.
    label_splits=tuple(split for split in SPLITS if split != "train"),
    score_note=_NOTE,
)
