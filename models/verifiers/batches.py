"""Batches of verifier training, in an order that is a function of seed and step alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncodedSequence:
    """Token ids, the index of the last token of the prompt and of each step, and their labels.

    Targets and weights have shape (step ends, heads). `prompts` are other ways to ask the same
    problem, as token ids.
    """

    token_ids: tuple[int, ...]
    ends: tuple[int, ...]
    targets: Floats
    weights: Floats
    prompts: tuple[tuple[int, ...], ...] = ()

    def asked(self, prompt: tuple[int, ...]) -> "EncodedSequence":
        """Return the response under another prompt: what is right under one is under the other."""
        start = self.ends[0] + 1
        shift = len(prompt) - start
        ends = tuple(end + shift for end in self.ends)
        return replace(self, token_ids=prompt + self.token_ids[start:], ends=ends)


def rephrase(
    sequences: Sequence[EncodedSequence], share: float, random: np.random.Generator
) -> list[EncodedSequence]:
    """Return about `share` of the sequences under one of their prompts, the others as they are."""
    draws = random.random(len(sequences)) / max(share, 1e-9)
    return [
        each.asked(each.prompts[int(draw * len(each.prompts))])
        if draw < 1 and each.prompts
        else each
        for each, draw in zip(sequences, draws, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded on the right, and where their labels are.

    Shape letters: B sequences, T tokens, N step ends of all sequences, H heads.
    """

    token_ids_BT: Integers
    rows_N: Integers
    columns_N: Integers
    targets_NH: Floats
    weights_NH: Floats


def collate(
    sequences: Sequence[EncodedSequence], factors: Sequence[float], *, pad_id: int
) -> Batch:
    """Return sequences as one batch, each one's weights multiplied by its factor.

    A causal model never looks ahead at padding on the right, so no mask is needed.
    """
    longest = max(len(sequence.token_ids) for sequence in sequences)
    token_ids = np.full((len(sequences), longest), pad_id, dtype=np.int64)
    for row, sequence in enumerate(sequences):
        token_ids[row, : len(sequence.token_ids)] = sequence.token_ids
    counts = [len(sequence.ends) for sequence in sequences]
    weights = np.concatenate([sequence.weights for sequence in sequences])
    return Batch(
        token_ids,
        np.repeat(np.arange(len(sequences)), counts),
        np.concatenate([sequence.ends for sequence in sequences]),
        np.concatenate([sequence.targets for sequence in sequences]),
        weights * np.repeat(np.array(factors, dtype=np.float32), counts)[:, None],
    )


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws batches of about `batch_size` sequences.

    A batch mixes all lengths: responses of one length have too much in common. Its parts, run one
    by one, hold sequences of like length, so that little is padded. With `balance`, sequences of
    mean value under and over 0.5 are drawn equally often.
    """

    lengths: Integers
    values: Floats
    batch_size: int
    seed: int
    balance: bool

    @property
    def batches_per_epoch(self) -> int:
        """Batches in one pass over the data."""
        return max(1, round(self.lengths.size / self.batch_size))

    def epoch(self, number: int) -> list[tuple[Integers, Floats]]:
        """Return the batches of a pass: the sequences' numbers, short ones first, and factors.

        A factor multiplies a sequence's weights: 1, or with `balance` (share in the data) / (share
        drawn), which leaves the expected loss as it is without balancing.
        """
        random = np.random.default_rng([self.seed, number])
        drawn, factors = self._draw(random)
        shuffled = random.permutation(drawn.size)
        batches = np.array_split(shuffled, self.batches_per_epoch)
        ordered = [
            batch[np.argsort(self.lengths[drawn[batch]], kind="stable")] for batch in batches
        ]
        return [(drawn[batch], factors[batch]) for batch in ordered]

    def _draw(self, random: np.random.Generator) -> tuple[Integers, Floats]:
        everything = np.arange(self.lengths.size)
        high = self.values >= 0.5
        share = float(high.mean())
        if not self.balance or share in (0.0, 1.0):
            return everything, np.ones(everything.size, dtype=np.float32)
        half = (everything.size + 1) // 2
        drawn = np.concatenate(
            [_cycle(everything[high == side], half, random) for side in (True, False)]
        )
        factors = np.where(high[drawn], 2 * share, 2 * (1 - share)).astype(np.float32)
        return drawn, factors


def _cycle(numbers: Integers, size: int, random: np.random.Generator) -> Integers:
    """Return `size` of the numbers, each as often as any other give or take one, at random."""
    whole, rest = divmod(size, numbers.size)
    return np.concatenate([np.tile(numbers, whole), random.permutation(numbers)[:rest]])


def mean_values(sequences: Sequence[EncodedSequence]) -> Floats:
    """Return each sequence's weighted mean target, over all its step ends and heads."""
    means = [
        np.sum(each.targets * each.weights) / max(float(np.sum(each.weights)), 1e-9)
        for each in sequences
    ]
    return np.array(means, dtype=np.float32)
