"""Exact coverage of the intervals of labels, and exact errors of estimates.

Nothing is simulated: a plan's ends and their chances are listed for each value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pav.models.labels.confidence import (
    Bounds,
    Floats,
    clopper_pearson_interval,
    jeffreys_interval,
    sequence_interval,
    wilson_interval,
)
from pav.models.labels.estimators import best_of_array, best_of_formula
from pav.models.labels.sequential import SequentialRule
from pav.models.labels.stopping_plans import StoppingPlan, fixed_plan

Interval = Callable[[NDArray[np.int64], NDArray[np.int64], float], Bounds]

INTERVALS: Mapping[str, Interval] = {
    "wilson": lambda c, n, level: wilson_interval(c, n, confidence=level),
    "jeffreys": lambda c, n, level: jeffreys_interval(c, n, confidence=level),
    "clopper_pearson": lambda c, n, level: clopper_pearson_interval(c, n, confidence=level),
    "sequence": lambda c, n, level: sequence_interval(c, n, confidence=level),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often one kind of interval holds the value, over a grid of values.

    `worst` is the least over the grid, found at the value `worst_at`; rollouts and width are means
    over the grid.
    """

    stopping: str
    interval: str
    mean: float
    worst: float
    worst_at: float
    num_rollouts: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """Mean and root mean squared error of one estimate of 1 - (1 - q)^K under a stopping plan."""

    stopping: str
    q: float
    k: int
    truth: float
    estimate: str
    mean: float
    error: float


def peeking_plan(rule: SequentialRule, interval: str) -> StoppingPlan:
    """Return the plan of the rule with another kind of interval."""
    open_states: set[tuple[int, int]] = set()
    for n in range(rule.block, rule.num_blocks * rule.block, rule.block):
        correct = np.arange(n + 1)
        bounds = INTERVALS[interval](correct, np.array(n), rule.confidence)
        is_open = ~rule.is_enough(correct, bounds)
        open_states.update((c, n) for c in np.flatnonzero(is_open).tolist())
    return StoppingPlan((rule.block,) * rule.num_blocks, frozenset(open_states))


def coverage(
    plan: StoppingPlan, values: Sequence[float], *, stopping: str, interval: str, confidence: float
) -> Coverage:
    """Return how often the interval at the plan's end holds each value."""
    correct, rollouts = np.array(plan.terminal_states).T
    low, high = INTERVALS[interval](correct, rollouts, confidence)
    grid = np.asarray(values)
    chances = plan.terminal_chances(grid)
    holds = (low <= grid[:, None]) & (grid[:, None] <= high)
    means = float((chances @ rollouts).mean()), float((chances @ (high - low)).mean())
    return _summary(stopping, interval, grid, (chances * holds).sum(axis=1), *means)


def coverage_of_all_looks(
    block: int, num_blocks: int, values: Sequence[float], *, interval: str, confidence: float
) -> Coverage:
    """Return how often the intervals after each block all hold the value.

    No way of stopping at one of the looks has a lower coverage.
    """
    totals = range(block, (num_blocks + 1) * block, block)
    bounds = {n: INTERVALS[interval](np.arange(n + 1), np.array(n), confidence) for n in totals}
    grid = np.asarray(values)
    held = [_held_throughout(bounds, q) for q in grid.tolist()]
    low, high = bounds[totals[-1]]
    width = float((fixed_plan(totals[-1]).terminal_chances(grid) @ (high - low)).mean())
    stopping = f"any of {num_blocks} looks"
    return _summary(stopping, interval, grid, np.array(held), float(totals[-1]), width)


def biases(plan: StoppingPlan, *, stopping: str, q: float, k: int) -> list[Bias]:
    """Return what each estimate of 1 - (1 - q)^K gives on average, and its error.

    `plug_in` is 1 - (1 - c/n)^K, `as_if_fixed` the estimate for a fixed n, `first_block` that of
    the first block alone, `of_plan` the one made for the plan. Estimates that do not exist for this
    K are left out.
    """
    correct, rollouts = np.array(plan.terminal_states).T
    first = np.arange(plan.blocks[0] + 1)
    first_chances = fixed_plan(plan.blocks[0]).terminal_chances(q)
    chances = plan.terminal_chances(q)
    of_plan = [plan.best_of(c, n, k) for c, n in plan.terminal_states]
    estimates = {
        "plug_in": (chances, best_of_formula(correct / rollouts, k)),
        "as_if_fixed": (chances, best_of_array(correct, rollouts, k)),
        "first_block": (first_chances, best_of_array(first, plan.blocks[0], k)),
        "of_plan": (chances, np.array(of_plan, dtype=np.float64)),
    }
    truth = float(best_of_formula(q, k))
    return [
        Bias(stopping=stopping, q=q, k=k, truth=truth, estimate=name, mean=float(each @ found),
             error=float(np.sqrt(each @ (found - truth) ** 2)))
        for name, (each, found) in estimates.items()
        if not np.isnan(found).any()
    ]  # fmt: skip


def _held_throughout(bounds: Mapping[int, Bounds], q: float) -> float:
    """Return the chance that the interval after each of the looks holds q."""
    held = {
        (c, n)
        for n, (low, high) in bounds.items()
        for c in np.flatnonzero((low <= q) & (q <= high)).tolist()
    }
    block = min(bounds)
    plan = StoppingPlan((block,) * len(bounds), frozenset(held))
    return float(plan.terminal_chances(q) @ [state in held for state in plan.terminal_states])


def _summary(
    stopping: str, interval: str, grid: Floats, held: Floats, num_rollouts: float, width: float
) -> Coverage:
    worst = int(np.argmin(held))
    return Coverage(stopping=stopping, interval=interval, mean=float(held.mean()),
                    worst=float(held[worst]), worst_at=float(grid[worst]),
                    num_rollouts=num_rollouts, width=width)  # fmt: skip
