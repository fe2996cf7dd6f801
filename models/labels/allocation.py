"""Allocation of a common budget: which rollouts change values most.

Shapes: P prefixes (each under one policy), J blocks of one prefix in a round.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import betaln

from pav.models.errors import InputError
from pav.models.labels.confidence import checked_counts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Fewest labelled prefixes from which a spread of values is fitted.
_LEAST_TO_FIT = 30
_BOUNDS = (np.log(0.02), np.log(200.0))
# Most blocks of one prefix in one round, so that its new counts influence the next round.
_MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Prior:
    """Beta(alpha, beta): how the values of prefixes of one kind are spread."""

    alpha: float
    beta: float


# Before anything is known (Jeffreys).
UNKNOWN = Prior(0.5, 0.5)


def fit_prior(num_correct: ArrayLike, num_rollouts: ArrayLike) -> Prior:
    """Return the Beta prior under which the counts of P prefixes are likeliest.

    Counts are beta-binomial; which rule chose the rollouts does not matter to the likelihood.
    UNKNOWN where there are too few counts to tell.
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    known = rollouts > 0
    if known.sum() < _LEAST_TO_FIT:
        return UNKNOWN
    pairs = np.stack([correct[known], rollouts[known]], axis=1)
    distinct, times = np.unique(pairs, axis=0, return_counts=True)
    right, wrong = distinct[:, 0], distinct[:, 1] - distinct[:, 0]

    def loss(logs: Floats) -> float:
        alpha, beta = np.exp(logs)
        return -float(times @ (betaln(right + alpha, wrong + beta) - betaln(alpha, beta)))

    found = minimize(loss, np.log([UNKNOWN.alpha, UNKNOWN.beta]), bounds=[_BOUNDS] * 2)
    # Rounded, as last digits differ between machines and an allocation is a published unit.
    alpha, beta = (round(float(each), 3) for each in np.exp(found.x))
    return Prior(alpha, beta)


def expected_gains(
    num_correct: ArrayLike, num_rollouts: ArrayLike, prior: Prior, *, block: int
) -> Floats:
    """Return by how much each next block is expected to reduce a label's variance, shape (P, J).

    A label is c / n, whose variance is Q (1 - Q) / n: the expectation of Q (1 - Q) given the counts
    and the prior, times the fall of 1 / n. Without rollouts 1 / n is taken as 2.
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    right, wrong = correct + prior.alpha, rollouts - correct + prior.beta
    spread = right * wrong / ((right + wrong) * (right + wrong + 1))
    sizes = rollouts[:, None] + block * np.arange(_MOST_AT_ONCE + 1)
    falls = -np.diff(1 / np.maximum(sizes, 0.5), axis=1)
    return np.asarray(spread[:, None] * falls)


def allot(
    gains: Floats,
    *,
    num_blocks: int,
    room: Integers,
    tie_breaks: Integers,
    is_labelled: NDArray[np.bool_],
) -> tuple[Integers, Floats]:
    """Return how many blocks each of P prefixes gets, and the gain of its first.

    The blocks with the largest gains are taken, at most `room` of a prefix, until `num_blocks` are.
    The first block of a prefix that has none stands before all others, whatever the prior makes of
    it. Equal gains are taken in the order of `tie_breaks`, so that none is by its place in a file.
    """
    if len({gains.shape[0], len(room), len(tie_breaks), len(is_labelled)}) > 1:
        raise InputError(
            f"allot: expected one row of gains, room, tie break and mark for each prefix, got "
            f"{gains.shape[0]}, {len(room)}, {len(tie_breaks)} and {len(is_labelled)}"
        )
    rows, places = np.nonzero(np.arange(gains.shape[1]) < room[:, None])
    is_later = is_labelled[rows] | (places > 0)
    order = np.lexsort((places, tie_breaks[rows], -gains[rows, places], is_later))
    order = order[: max(num_blocks, 0)]
    return np.bincount(rows[order], minlength=len(room)).astype(np.int64), gains[:, 0]


@dataclass(frozen=True, slots=True)
class Budget:
    """Rollouts to spend in all, in blocks of `block`, over `num_rounds` rounds."""

    rollouts: int
    block: int
    num_rounds: int

    def blocks_of_round(self, number: int, *, spent: int, unlabelled: int) -> int:
        """Return how many blocks round `number`, from 0, may draw after `spent` ones.

        Round 0 gives each unlabelled prefix its first block; what is left is spread evenly over
        the rounds to come.
        """
        left = self.rollouts // self.block - spent
        if number == 0 and self.num_rounds > 1:
            return min(left, unlabelled)
        return -(-left // (self.num_rounds - number))


@dataclass(frozen=True, slots=True)
class Candidates:
    """P prefixes that a round may label: what is known of each, and in which company it stands.

    `kinds` numbers groups with a prior each, such as policy and number of steps; `most` is in
    blocks; `tie_breaks` is an order that has nothing to do with places in a file.
    """

    correct: Integers
    rollouts: Integers
    blocks: Integers
    most: Integers
    kinds: Integers
    tie_breaks: Integers


def next_blocks(candidates: Candidates, budget: Budget, *, number: int) -> tuple[Integers, Floats]:
    """Return how many blocks each prefix gets in round `number`, and the gain of its first."""
    unlabelled = candidates.blocks == 0
    # An unlabelled prefix gets one block: its outcomes decide on more.
    room = np.where(unlabelled, 1, candidates.most - candidates.blocks)
    num_blocks = budget.blocks_of_round(
        number, spent=int(candidates.blocks.sum()), unlabelled=int(unlabelled.sum())
    )
    gains = _gains(candidates, budget.block)
    return allot(
        gains, num_blocks=num_blocks, room=room, tie_breaks=candidates.tie_breaks,
        is_labelled=~unlabelled,
    )  # fmt: skip


def spend_budget(
    kinds: Integers, budget: Budget, *, most: int, draw: Callable[[Integers, Integers], Integers]
) -> Integers:
    """Spend a budget round by round on P prefixes of one policy; return how many blocks each got.

    Args:
        kinds: the group of each prefix, with a prior of its own.
        budget: what there is to spend.
        most: blocks of one prefix at most.
        draw: from the blocks that each prefix has to its right rollouts among so many more.
    """
    correct, blocks = np.zeros_like(kinds), np.zeros_like(kinds)
    for number in range(budget.num_rounds):
        known = Candidates(
            correct=correct, rollouts=blocks * budget.block, blocks=blocks, kinds=kinds,
            most=np.full_like(blocks, most), tie_breaks=np.arange(len(kinds), dtype=np.int64),
        )  # fmt: skip
        taken, _ = next_blocks(known, budget, number=number)
        correct, blocks = correct + draw(blocks, taken), blocks + taken
    return blocks


def _gains(candidates: Candidates, block: int) -> Floats:
    gains = np.zeros((len(candidates.kinds), _MOST_AT_ONCE))
    for kind in np.unique(candidates.kinds):
        own = candidates.kinds == kind
        correct, rollouts = candidates.correct[own], candidates.rollouts[own]
        gains[own] = expected_gains(correct, rollouts, fit_prior(correct, rollouts), block=block)
    return gains
