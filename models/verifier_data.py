"""Training examples of the verifiers: which sequences, and which counts at each step end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.models.estimators import best_of_array
from pav.models.records import Prefix, Verdict

# A prefix by problem and text: its steps follow from the text.
PrefixKey = tuple[str, str]
# PrefixKey -> (num_correct, num_rollouts)
Counts = dict[PrefixKey, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Completion:
    """A distinct full response with the samples that gave it; `start` steps were given to them."""

    problem_id: str
    steps: tuple[str, ...]
    is_finished: bool
    start: int
    num_samples: int
    num_correct: int

    @property
    def key(self) -> tuple[str, str, bool]:
        """What makes two completions the same response."""
        return self.problem_id, "".join(self.steps), self.is_finished

    @property
    def prefix(self) -> Prefix:
        """The response as a prefix."""
        return Prefix(self.problem_id, self.steps, self.is_finished)


@dataclass(frozen=True, slots=True)
class LabelledSequence:
    """A full response with counts and a weight at each of its len(steps) + 1 step ends.

    Index 0 is the bare problem. The last is terminal: its value is its verdict, 0 or 1 of 1.
    Weight 0 marks a step end without a label.
    """

    prefix: Prefix
    num_correct: tuple[int, ...]
    num_rollouts: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TargetSequence:
    """A full response with targets in [0, 1] and weights, both of shape (step ends, heads)."""

    prefix: Prefix
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def solution_completions(solutions: pl.DataFrame) -> list[Completion]:
    """Return the distinct graded responses of the `solutions` data set, sampled from no steps."""
    graded = solutions.with_columns(start=pl.lit(0, dtype=pl.Int32))
    return _completions(graded.rename({"steps": "all_steps"}))


def rollout_completions(
    rollouts: pl.DataFrame, prefixes: pl.DataFrame, *, policy_id: str
) -> list[Completion]:
    """Return the distinct graded completions (prefix and rollout) that a policy was sampled for."""
    starts = prefixes.select(
        "prefix_id", "problem_id", start_steps="steps", start=pl.col("steps").list.len()
    ).unique("prefix_id")
    joined = rollouts.filter(pl.col("policy_id") == policy_id).join(starts, on="prefix_id")
    return _completions(joined.with_columns(all_steps=pl.concat_list("start_steps", "steps")))


def _completions(samples: pl.DataFrame) -> list[Completion]:
    """Group samples by response and start, in a fixed order; failed ones never count."""
    grouped = (
        samples.filter(pl.col("verdict") != Verdict.FAILED.value)
        .with_columns(
            text=pl.col("all_steps").list.join(""),
            is_finished=pl.col("finish_reason") == "stop",
        )
        .group_by("problem_id", "text", "is_finished", "start")
        .agg(
            pl.col("all_steps").first(),
            num_samples=pl.len(),
            num_correct=(pl.col("verdict") == Verdict.CORRECT.value).sum(),
        )
        .sort("problem_id", "text", "is_finished", "start")
    )
    columns = ("problem_id", "all_steps", "is_finished", "start", "num_samples", "num_correct")
    return [
        Completion(problem, tuple(steps), finished, start, samples, correct)
        for problem, steps, finished, start, samples, correct in grouped.select(columns).iter_rows()
    ]


def own_counts(completions: Iterable[Completion]) -> Counts:
    """Return the counts of each prefix from the samples that started there."""
    counts: Counts = {}
    for completion in completions:
        text = "".join(completion.steps[: completion.start])
        _add(counts, (completion.problem_id, text), completion)
    return counts


def passing_counts(completions: Iterable[Completion]) -> Counts:
    """Return the counts of each prefix from all samples that started there or passed through.

    A sample that passes through a prefix is one unbiased sample of that prefix's value, so the
    counts have the expectation of its own rollouts and a smaller variance.
    """
    counts: Counts = {}
    for completion in completions:
        text = "".join(completion.steps[: completion.start])
        _add(counts, (completion.problem_id, text), completion)
        # The last step ends the response: that is a verdict, not a prefix to go on from.
        for step in completion.steps[completion.start : -1]:
            text += step
            _add(counts, (completion.problem_id, text), completion)
    return counts


def _add(counts: Counts, key: PrefixKey, completion: Completion) -> None:
    correct, total = counts.get(key, (0, 0))
    counts[key] = (correct + completion.num_correct, total + completion.num_samples)


def outcome_sequences(completions: Iterable[Completion]) -> list[LabelledSequence]:
    """Return the ORM's sequences: each distinct response once, labelled at its end only.

    Multiplicity is left out: copies of one response carry no further information on its verdict,
    and the rare responses are the ones a best-of-N search must tell apart.
    """
    return value_sequences(completions, {})


def value_sequences(
    completions: Iterable[Completion], counts: Mapping[PrefixKey, tuple[int, int]]
) -> list[LabelledSequence]:
    """Return each distinct response once, labelled by `counts` at every step end that has any.

    A prefix weighs as much as there are distinct responses through it.
    """
    distinct = {completion.key: completion for completion in completions}
    return [_label(completion, counts) for completion in distinct.values()]


def _label(completion: Completion, counts: Mapping[PrefixKey, tuple[int, int]]) -> LabelledSequence:
    text, labels = "", []
    for step in completion.steps:
        labels.append(counts.get((completion.problem_id, text), (0, 0)))
        text += step
    labels.append((int(completion.num_correct > 0), 1))
    correct, total = zip(*labels, strict=True)
    weights = tuple(float(number > 0) for number in total)
    return LabelledSequence(completion.prefix, correct, total, weights)


def target_sequences(
    heads: Sequence[Iterable[LabelledSequence]], *, best_of_k: Sequence[int] = (1,)
) -> list[TargetSequence]:
    """Return each response of any head once, with the targets of every head.

    Args:
        heads: the labelled sequences of each head; one that lacks a response gets weight 0 there.
        best_of_k: K of each head; its target is the unbiased best-of-K value, the value for K = 1.
    """
    merged: dict[Prefix, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
    for head, (sequences, k) in enumerate(zip(heads, best_of_k, strict=True)):
        for sequence in sequences:
            size = (len(sequence.weights), len(heads))
            targets, weights = merged.setdefault(
                sequence.prefix, (np.zeros(size, np.float32), np.zeros(size, np.float32))
            )
            targets[:, head], weights[:, head] = _targets(sequence, k)
    return [TargetSequence(prefix, *arrays) for prefix, arrays in merged.items()]


def _targets(sequence: LabelledSequence, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets and weights; where fewer than K rollouts exist the weight is 0."""
    correct, total = np.array(sequence.num_correct), np.array(sequence.num_rollouts)
    targets = best_of_array(correct, np.maximum(total, 1), k)
    # Of a terminal prefix every best-of-K value is its verdict.
    targets[-1] = correct[-1]
    weights = np.where(np.isnan(targets), 0.0, sequence.weights)
    return np.nan_to_num(targets), weights


def restrict(completions: Iterable[Completion], problem_ids: Iterable[str]) -> list[Completion]:
    """Return the completions of the given problems."""
    wanted = frozenset(problem_ids)
    return [completion for completion in completions if completion.problem_id in wanted]
