"""The kind `q`: values of prefixes, each step's chance that a policy ends rightly from there."""

from collections.abc import Mapping

import polars as pl

from pav.models.labels.sampling_measure import Completion
from pav.models.settings import RunSettings
from pav.models.verifiers.completions import restrict, rollout_completions, solution_completions
from pav.models.verifiers.data import (
    LabelledSequence,
    TargetSequence,
    target_sequences,
    value_sequences,
)
from pav.models.verifiers.kind import CardWords, Kind, VerifierSpec, VerifierWork
from pav.models.verifiers.published import Published

SHARED = "q_provers"
BEST_OF = "q_bok"
_TARGETS: Mapping[str, str] = {
    "counts": "the share of right ones among each prefix's own rollouts; the verdict at the end",
    "passing": "the share of right ones among each prefix's own rollouts and all that pass "
    "through it; the verdict at the end",
}


def _specs(settings: RunSettings) -> list[VerifierSpec]:
    train, evaluate = settings.train, settings.evaluate
    specs = [_single("q", "base", train.steps, train.targets)]
    if evaluate.prover_value == "head":
        ks = sorted({evaluate.main_k, *evaluate.best_of_k})
        specs.append(VerifierSpec(
            name=BEST_OF, heads=tuple(f"q_bo{k}" for k in ks), policies=("base",) * len(ks),
            best_of_k=tuple(ks), steps=train.steps, targets=train.targets,
        ))  # fmt: skip
    if train.compare_targets and train.targets == "passing":
        specs.append(_single("q_counts", "base", train.steps, "counts"))
    return [*specs, *_prover_specs(settings)]


def _prover_specs(settings: RunSettings) -> list[VerifierSpec]:
    label, train = settings.label, settings.train
    roles: tuple[str, ...] = tuple(dict.fromkeys(label.provers))
    if not roles or not label.num_prover_rollouts or not label.prover_shards:
        return []
    if train.heads == "shared" and len(roles) > 1:
        return [VerifierSpec(
            name=SHARED, heads=tuple(f"q_{role}" for role in roles), policies=roles,
            best_of_k=(1,) * len(roles), steps=train.prover_steps, targets=train.targets,
        )]  # fmt: skip
    return [_single(f"q_{role}", role, train.prover_steps, train.targets) for role in roles]


def _single(name: str, role: str, steps: int, targets: str) -> VerifierSpec:
    return VerifierSpec(
        name=name, heads=(name,), policies=(role,), best_of_k=(1,), steps=steps, targets=targets
    )


def _examples(
    work: VerifierWork, published: Published, /, *, held_out: bool
) -> list[TargetSequence]:
    base = work.policies["base"]
    heads = [
        # Rollouts of another policy reach prefixes in other proportions than the base. They are for
        # learning and not for stopping and judging.
        _head(
            published, policy_id,
            passing=work.targets == "passing" and not (held_out and policy_id != base),
        )
        for policy_id in work.head_policies
    ]  # fmt: skip
    return target_sequences(heads, best_of_k=work.best_of_k)


def _head(published: Published, policy_id: str, *, passing: bool) -> list[LabelledSequence]:
    """Return the sequences of one policy's value, of the problems it has rollouts of."""
    rollouts = rollout_completions(published.rollouts, published.prefixes, policy_id=policy_id)
    mine = published.solutions.filter(pl.col("policy_id") == policy_id)
    return value_sequences(
        _labelled(published.solutions, rollouts),
        rollouts,
        own=_labelled(mine, rollouts),
        passing=passing,
    )


def _labelled(solutions: pl.DataFrame, rollouts: list[Completion]) -> list[Completion]:
    labelled = {completion.problem_id for completion in rollouts}
    return restrict(solution_completions(solutions), labelled)


def _card(work: VerifierWork) -> CardWords:
    return CardWords(
        equation="Q^pi(s, a): the chance that the policy pi, going on from there, ends with a "
        "right answer (Eq. 1); where K > 1 the chance that the best of K such responses is right",
        data="every step end of sampled solutions and of the rollouts that labelled them, "
        "with the share of correct rollouts as its target",
        targets=_TARGETS[work.targets],
        meaning="A value says how the policy of its head goes on, not whether a step is correct: "
        "a right step of a hopeless solution scores low, a wrong one that is mended later high.",
    )


Q = Kind(
    specs=_specs,
    examples=_examples,
    card=_card,
    titles={
        "q": "Q",
        "q_counts": "Q, counts only",
        "q_weak": "Q of weak prover",
        "q_strong": "Q of strong prover",
    },
)
