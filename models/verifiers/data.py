"""Training examples of the verifiers: which sequences, and which targets at each step end."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pav.models.labels.estimators import best_of_array
from pav.models.labels.sampling_measure import Completion, PrefixKey, sampling_measure
from pav.models.records import Prefix

Key = TypeVar("Key", bound=Hashable)
Weighted = tuple[Completion, float]


@dataclass(frozen=True, slots=True)
class Tally:
    """Samples at a step end: how many, how many of them right, and both by their weights."""

    num_correct: int = 0
    num_rollouts: int = 0
    correct_weight: float = 0.0
    weight: float = 0.0

    def with_samples(self, samples: Completion, weight: float) -> "Tally":
        """Return the tally with more samples, each of the given weight."""
        return Tally(
            self.num_correct + samples.num_correct,
            self.num_rollouts + samples.num_samples,
            self.correct_weight + weight * samples.num_correct,
            self.weight + weight * samples.num_samples,
        )


@dataclass(frozen=True, slots=True)
class LabelledSequence:
    """A full response with a tally and a weight in the loss at each of its len(steps) + 1 ends.

    Index 0 is the bare problem. The last is terminal: its value is its verdict, 0 or 1. Weight 0
    marks a step end without a label.
    """

    prefix: Prefix
    tallies: tuple[Tally, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TargetSequence:
    """A full response with targets in [0, 1] and weights, both of shape (step ends, heads)."""

    prefix: Prefix
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def own_tallies(samples: Iterable[Weighted]) -> dict[PrefixKey, Tally]:
    """Return the tally of each prefix over the samples that started there."""
    return _tallies((each.started_at, each, weight) for each, weight in samples)


def passing_tallies(samples: Iterable[Weighted]) -> dict[PrefixKey, Tally]:
    """Return the tally of each prefix over all samples that started there or passed through.

    A sample that passes through a prefix is one unbiased sample of that prefix's value, so the
    tally has the expectation of its own rollouts and a smaller variance.
    """
    return _tallies((key, each, weight) for each, weight in samples for key in each.passed())


def _tallies(samples: Iterable[tuple[Key, Completion, float]]) -> dict[Key, Tally]:
    tallies: dict[Key, Tally] = {}
    for key, completion, weight in samples:
        tallies[key] = tallies.get(key, Tally()).with_samples(completion, weight)
    return tallies


def outcome_sequences(
    solutions: Sequence[Completion], rollouts: Sequence[Completion]
) -> list[LabelledSequence]:
    """Return the ORM's sequences: each distinct response once, labelled at its end only.

    A response weighs as often as the policy gives it, whichever prefixes the rollouts start from.
    """
    measure = sampling_measure(solutions, rollouts)
    samples = [*_unweighted(solutions), *measure.weighted(rollouts)]
    return _sequences(samples, {}, _Drawn(lambda _: 0.0, lambda end: 1 + measure.drawn_until(end)))


def value_sequences(
    solutions: Sequence[Completion],
    rollouts: Sequence[Completion],
    *,
    own: Sequence[Completion],
    passing: bool,
) -> list[LabelledSequence]:
    """Return the sequences of one policy's value: each distinct response once.

    Args:
        solutions: of any policy, sampled from bare problems.
        rollouts: of the policy, from prefixes.
        own: the solutions that the policy itself gave.
        passing: whether samples count at later prefixes that they pass too, and rollouts are
            sequences of their own; else solutions alone are, labelled by the rollouts from them.
    """
    measure = sampling_measure(solutions, rollouts)
    drawn = measure.weighted(rollouts)
    if not passing:
        tallies = own_tallies(drawn)
        return _sequences(_unweighted(solutions), tallies, _Drawn(measure.drawn_at, lambda _: 1.0))
    share = _num_samples(own) / max(_num_samples(solutions), 1)
    return _sequences(
        [*_unweighted(solutions), *drawn],
        passing_tallies([*_unweighted(own), *drawn]),
        _Drawn(
            lambda step: share + measure.drawn_until(step),
            lambda end: 1.0 + measure.drawn_until(end),
        ),
    )


def _unweighted(solutions: Iterable[Completion]) -> list[Weighted]:
    return [(solution, 1.0) for solution in solutions]


def _num_samples(completions: Iterable[Completion]) -> int:
    return sum(completion.num_samples for completion in completions)


@dataclass(frozen=True)
class _Drawn:
    """The weight drawn for each solution, at a prefix and at the end of a response.

    Both are by the number of steps; an end has the steps before the last one.
    """

    at_prefix: Callable[[int], float]
    at_end: Callable[[int], float]


def _sequences(
    samples: Sequence[Weighted], tallies: Mapping[PrefixKey, Tally], drawn: _Drawn
) -> list[LabelledSequence]:
    """Return each distinct response once, labelled by `tallies` wherever there is one.

    The weight of a prefix is shared by the responses through it: each is one forward pass.
    """
    ends = _tallies((each.key, each, weight) for each, weight in samples)
    distinct = {each.key: each for each, _ in samples}
    through = Counter(key for each in distinct.values() for key in _prefixes(each))
    sequences = []
    for key, completion in distinct.items():
        labels = [tallies.get(prefix, Tally()) for prefix in _prefixes(completion)]
        weights = [
            tally.weight / (drawn.at_prefix(step) * through[prefix]) if tally.weight else 0.0
            for step, (prefix, tally) in enumerate(zip(_prefixes(completion), labels, strict=True))
        ]
        last = ends[key].weight / drawn.at_end(max(len(completion.steps) - 1, 0))
        sequences.append(
            LabelledSequence(completion.prefix, (*labels, ends[key]), (*weights, last))
        )
    return sequences


def _prefixes(completion: Completion) -> list[PrefixKey]:
    """Return the prefixes that have a step after them, the bare problem first."""
    texts = accumulate(completion.steps[:-1], initial="")
    return [(completion.problem_id, text) for text in texts] if completion.steps else []


def target_sequences(
    heads: Sequence[Iterable[LabelledSequence]], *, best_of_k: Sequence[int] = (1,)
) -> list[TargetSequence]:
    """Return each response of any head once, with the targets of every head.

    Args:
        heads: the labelled sequences of each head; one that lacks a response gets weight 0 there.
        best_of_k: K of each head; its target is the value for K = 1, else the unbiased best-of-K
            value of the counts, which asks for counts that no outcome had a say in.
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
    tallies = sequence.tallies
    shares = np.array([each.correct_weight / (each.weight or 1.0) for each in tallies])
    if k == 1:
        return shares, np.array(sequence.weights)
    correct = [each.num_correct for each in tallies]
    targets = best_of_array(correct, [max(each.num_rollouts, 1) for each in tallies], k)
    # Every best-of-K value of a terminal prefix is its verdict.
    targets[-1] = shares[-1]
    return np.nan_to_num(targets), np.where(np.isnan(targets), 0.0, sequence.weights)
