"""Plans that stop at counts, all their ends, and estimates that such stopping leaves unbiased.

A state is (c, n): c right of n rollouts, reached at the end of a block.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import comb, log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from pav.models.errors import InputError

Floats = NDArray[np.float64]
State = tuple[int, int]


@dataclass(frozen=True)
class StoppingPlan:
    """Blocks of rollouts, and the states after which the next block is drawn.

    Attributes:
        blocks: sizes of the blocks in order; after the last the plan ends in any state.
        open_states: where it goes on; a state that is not listed is terminal.
    """

    blocks: tuple[int, ...]
    open_states: frozenset[State]

    @cached_property
    def terminal_states(self) -> tuple[State, ...]:
        """Return the states in which the plan can end, by n and then c."""
        return tuple(_ways(self, 0))

    @cached_property
    def most_wrong(self) -> int:
        """Return how many rollouts are drawn where all turn out wrong."""
        return next(n for c, n in self.terminal_states if c == 0)

    def terminal_chances(self, q: ArrayLike) -> Floats:
        """Return the chance to end in each terminal state, shape (*q's shape, states)."""
        value = np.asarray(q, dtype=np.float64)[..., None]
        correct, rollouts = np.array(self.terminal_states, dtype=np.float64).T
        # A count of ways can exceed the largest float, its logarithm cannot.
        log_ways = np.array([log(ways) for ways in _ways(self, 0).values()])
        log_chances = log_ways + xlogy(correct, value) + xlog1py(rollouts - correct, -value)
        return np.asarray(np.exp(log_chances))

    def best_of(self, num_correct: int, num_rollouts: int, k: int) -> float | None:
        """Return the unbiased estimate of 1 - (1 - Q)^K at a terminal state; of Q for K = 1.

        "The first K rollouts are wrong" has chance (1 - Q)^K. Given (c, n) every order of
        outcomes that the plan lets through is as likely as any other, whatever Q is, so its share
        among them is unbiased (Blackwell 1947; Girshick, Mosteller and Savage 1946).
        None where the plan can stop before it has seen K wrong rollouts and no right one.
        """
        if k < 1:
            raise InputError(f"best_of: expected k >= 1, got {k!r}")
        state = (num_correct, num_rollouts)
        if state not in _ways(self, 0):
            raise InputError(
                "best_of: expected counts at which the stopping rule ends, got "
                f"{num_correct!r} of {num_rollouts!r}; use the first block of such a label"
            )
        if k > self.most_wrong:
            return None
        wrong, every = _ways(self, k).get(state, 0), _ways(self, 0)[state]
        return 1.0 - wrong / every


def fixed_plan(num_rollouts: int) -> StoppingPlan:
    """Return the plan that draws so many rollouts, whatever comes."""
    return StoppingPlan((num_rollouts,), frozenset())


@lru_cache(maxsize=256)
def _ways(plan: StoppingPlan, num_wrong: int) -> dict[State, int]:
    """Return in how many orders of outcomes each terminal state is reached, by n and then c.

    Only orders that begin with `num_wrong` wrong rollouts are counted.
    """
    return dict(_count(plan, num_wrong))


def _count(plan: StoppingPlan, num_wrong: int) -> Iterator[tuple[State, int]]:
    ways, drawn, last = {0: 1}, 0, sum(plan.blocks)
    for size in plan.blocks:
        free = size - min(max(num_wrong - drawn, 0), size)
        drawn += size
        ways = _after_block(ways, free)
        ended = [c for c in ways if drawn == last or (c, drawn) not in plan.open_states]
        for c in sorted(ended):
            yield (c, drawn), ways.pop(c)


def _after_block(ways: dict[int, int], free: int) -> dict[int, int]:
    """Return the ways to each count after a block of which `free` rollouts may be right."""
    reached: dict[int, int] = {}
    for right in range(free + 1):
        orders = comb(free, right)
        for c, before in ways.items():
            reached[c + right] = reached.get(c + right, 0) + before * orders
    return reached
