"""Where the next rollouts of a common budget change values most.

Shapes: P prefixes (each under one policy), J blocks of one prefix in a round.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from pav.models.confidence import checked_counts
from pav.models.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Fewer labelled prefixes than this say little of how values are spread.
_LEAST_TO_FIT = 30
# Blocks of one prefix in one round: its own counts should have a say in the rest.
_MOST_AT_ONCE = 8
# Equal steps of the arcsine scale: close together near 0 and 1, where most values are.
_GRID: Floats = np.sin(np.linspace(0, np.pi / 2, 65)) ** 2
_EM_STEPS = 200
# Share of the prior that the counts have no say in: what was never seen yet may be there.
_DOUBT = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """How the values of prefixes of one kind are spread: weights of the points of a grid.

    Values pile up at 0 and 1, which no Beta distribution with mass between them can say.
    """

    weights: Floats

    @property
    def mean(self) -> float:
        """The mean value of a prefix of this kind."""
        return float(self.weights @ _GRID)


# Before anything is known: equal weights of this grid are Beta(1/2, 1/2) (Jeffreys).
UNKNOWN = Prior(np.full(len(_GRID), 1 / len(_GRID)))


def fit_prior(num_correct: ArrayLike, num_rollouts: ArrayLike) -> Prior:
    """Return the spread of values under which the counts of P prefixes are likeliest.

    The nonparametric maximum likelihood of a mixture of binomials (Kiefer and Wolfowitz 1956) by
    expectation and maximisation, mixed with a little of UNKNOWN. Which rule chose the rollouts
    does not matter to the likelihood. UNKNOWN where there are too few counts to tell.
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    known = rollouts > 0
    if known.sum() < _LEAST_TO_FIT:
        return UNKNOWN
    pairs = np.stack([correct[known], rollouts[known]], axis=1)
    distinct, times = np.unique(pairs, axis=0, return_counts=True)
    likelihood = _likelihood(distinct[:, 0], distinct[:, 1])
    weights = UNKNOWN.weights
    for _ in range(_EM_STEPS):
        joint = likelihood * weights
        weights = (times / joint.sum(axis=1)) @ joint / times.sum()
    mixed = (1 - _DOUBT) * weights + _DOUBT * UNKNOWN.weights
    # Last digits differ between machines, and an allocation is a published unit.
    rounded = np.round(mixed, 6)
    return Prior(rounded / rounded.sum())


def expected_gains(
    num_correct: ArrayLike, num_rollouts: ArrayLike, prior: Prior, *, block: int
) -> Floats:
    """Return by how much each next block should lessen a label's variance, shape (P, J).

    A label is c / n, whose variance is Q (1 - Q) / n: the expectation of Q (1 - Q) given the counts
    and the prior, times the fall of 1 / n. The first block of a prefix stands before all others.
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    pairs = np.stack([correct, rollouts], axis=1)
    distinct, place = np.unique(pairs, axis=0, return_inverse=True)
    joint = _likelihood(distinct[:, 0], distinct[:, 1]) * prior.weights
    spread = (joint @ (_GRID * (1 - _GRID))) / joint.sum(axis=1)
    sizes = distinct[:, 1:] + block * np.arange(_MOST_AT_ONCE + 1)
    falls = -np.diff(1 / np.maximum(sizes, 0.5), axis=1)
    return np.asarray((spread[:, None] * falls)[place.ravel()])


def _likelihood(correct: Floats, rollouts: Floats) -> Floats:
    """Return the chance of counts at each point of the grid, up to a factor of each row."""
    logs = xlogy(correct[:, None], _GRID) + xlog1py((rollouts - correct)[:, None], -_GRID)
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def allot(
    gains: Floats, *, num_blocks: int, room: Integers, tie_breaks: Integers
) -> tuple[Integers, Floats]:
    """Return how many blocks each of P prefixes gets, and the gain of its first.

    The blocks with the largest gains are taken, at most `room` of a prefix, until `num_blocks` are.
    Equal gains are taken in the order of `tie_breaks`, so that none is by its place in a file.
    """
    if gains.shape[0] != len(room) or len(room) != len(tie_breaks):
        raise InputError(
            f"allot: expected one row of gains, room and tie break for each prefix, got "
            f"{gains.shape[0]}, {len(room)} and {len(tie_breaks)}"
        )
    rows, places = np.nonzero(np.arange(gains.shape[1]) < room[:, None])
    order = np.lexsort((places, tie_breaks[rows], -gains[rows, places]))[: max(num_blocks, 0)]
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
    # A first block is wanted before anything is known of a prefix, and then it may have a say.
    room = np.where(unlabelled, 1, candidates.most - candidates.blocks)
    num_blocks = budget.blocks_of_round(
        number, spent=int(candidates.blocks.sum()), unlabelled=int(unlabelled.sum())
    )
    gains = _gains(candidates, budget.block)
    return allot(gains, num_blocks=num_blocks, room=room, tie_breaks=candidates.tie_breaks)


def _gains(candidates: Candidates, block: int) -> Floats:
    gains = np.zeros((len(candidates.kinds), _MOST_AT_ONCE))
    for kind in np.unique(candidates.kinds):
        own = candidates.kinds == kind
        correct, rollouts = candidates.correct[own], candidates.rollouts[own]
        gains[own] = expected_gains(correct, rollouts, fit_prior(correct, rollouts), block=block)
    return gains
