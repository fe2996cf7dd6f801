"""`pav bench labels`: the price of each planner's labels and their error.

Planners are played against rollouts that were drawn once, in several orders of their blocks. Values
are compared with other rollouts of the same prefixes, first errors with the exact solver.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from pav.models.labels.curves import Point, Sums, point
from pav.models.labels.sequential import SequentialRule
from pav.models.planners.adaptive import adaptive, adaptive_walk
from pav.models.planners.binary_search import binary_search
from pav.models.planners.blocks import Block, OpenSolution, Planner, counts
from pav.models.planners.exhaustive import exhaustive
from pav.models.planners.first_pit import PitBudget, first_pit
from pav.models.planners.replay import Pool, Replay, replay, replay_budget
from pav.tasks.bench.label_case import BLOCK, Case, Floats

# Orders of the blocks that every planner is played in.
ORDERS = 8
ROUNDS = 4
# Rollouts of a prefix, the points of each curve; for budgets (mean rollouts, block size).
FIXED = (4, 8, 16, 32, 64, 128)
BUDGETS = ((3, 2), (4, 2), (5, 2), (6, 4), (8, 4), (12, 4), (16, 4), (24, 4), (32, 4), (48, 4))
WIDTHS = (0.6, 0.5, 0.4, 0.3, 0.2)
THRESHOLDS = (0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
SEARCHES = (4, 8, 16, 32)
# First pit: rollouts to estimate a prefix, and to find the pit.
PITS = (
    (4, 8), (8, 8), (12, 8), (16, 8), (20, 8), (24, 12), (32, 12), (40, 12), (40, 16), (48, 16),
    (64, 16), (64, 24), (96, 24), (128, 32), (128, 48), (4, 16), (4, 32), (4, 64), (4, 128),
)  # fmt: skip


Player = Callable[[Pool], Replay]


def players(case: Case) -> dict[str, dict[str, Player]]:
    """Return planner -> setting -> how it is played against a pool."""
    plan: dict[str, dict[str, Callable[[OpenSolution], Planner]]] = {
        "exhaustive": {f"n = {n}": partial(_exhaustive, num_rollouts=n) for n in FIXED},
        "adaptive, width": {
            f"width {width}": partial(adaptive, rule=_rule(width=width)) for width in WIDTHS
        },
        "adaptive, first error": {
            f"below {threshold}": partial(adaptive_walk, rule=_rule(threshold=threshold))
            for threshold in THRESHOLDS
        },
        "walk, n each": {f"n = {n}": partial(walk, num_rollouts=n) for n in FIXED},
        "walk, until right": {
            f"n = {n}": partial(walk, num_rollouts=n, until_right=True) for n in FIXED
        },
        "first pit": {
            f"{n}, pit {walk}": partial(first_pit, high_value=0.0, budget=_pits(n, walk))
            for n, walk in PITS
        },
        "binary search": {
            f"k = {k}": partial(binary_search, num_blocks=k // BLOCK, fresh_blocks=1)
            for k in SEARCHES
        },
    }
    played_by: dict[str, dict[str, Player]] = {
        planner: {
            setting: partial(_play, solutions=case.solutions, build=build)
            for setting, build in settings.items()
        }
        for planner, settings in plan.items()
    }
    budgets: dict[str, Player] = {
        f"{mean}, blocks of {block}": partial(
            _spend, rollouts=mean * len(case.pool.prefixes), block=block
        )
        for mean, block in BUDGETS
    }
    return {"exhaustive": played_by.pop("exhaustive"), "adaptive, budget": budgets, **played_by}


def _play(
    pool: Pool, *, solutions: Sequence[OpenSolution], build: Callable[[OpenSolution], Planner]
) -> Replay:
    return replay(pool, map(build, solutions))


def _spend(pool: Pool, *, rollouts: int, block: int) -> Replay:
    grouped = pool.grouped(block // pool.size)
    return replay_budget(grouped, rollouts, num_rounds=ROUNDS, most=grouped.right.shape[1])


def _exhaustive(solution: OpenSolution, *, num_rollouts: int) -> Planner:
    return exhaustive(solution.prefixes, range(num_rollouts // BLOCK))


def walk(solution: OpenSolution, *, num_rollouts: int, until_right: bool = False) -> Planner:
    """Roll out a wrong solution until a prefix has none right of n; return that prefix, or None.

    This is the fair reference for first errors: a correct solution has none, and prefixes behind a
    dead one do not matter. With `until_right` the rollouts of a prefix stop at the first right one.
    """
    blocks = num_rollouts // BLOCK
    turns = [[number] for number in range(blocks)] if until_right else [range(blocks)]
    for prefix in () if solution.is_correct else solution.prefixes:
        correct = 0
        for numbers in turns:
            correct += counts((yield [Block(prefix, number) for number in numbers]))[0]
            if correct:
                break
        if not correct:
            return prefix
    return None


def _rule(*, width: float = 0.0, threshold: float = 0.0) -> SequentialRule:
    return SequentialRule(
        block=BLOCK, width=width, threshold=threshold, confidence=0.95, most=256,
        until_right=bool(threshold),
    )  # fmt: skip


def _pits(num_rollouts: int, walk: int) -> PitBudget:
    """Return first_pit's budget: pilot and walk have the same blocks, the pit has one."""
    blocks = walk // BLOCK
    return PitBudget(pilot=blocks, walk=blocks, estimate=num_rollouts // BLOCK, pit=1)


def played(case: Case, settings: Mapping[str, Player]) -> dict[str, Sums]:
    """Return the figures of each setting of a planner, the mean over all orders of the blocks."""
    pools = [case.pool.shuffled(order) for order in range(ORDERS)]
    return {
        name: _mean([_sums(case, play(pool)) for pool in pools]) for name, play in settings.items()
    }


def curve(settings: Mapping[str, Sums], weights: Floats) -> list[Point]:
    """Return one point for each setting of a planner."""
    return [point(name, sums, weights) for name, sums in settings.items()]


def _sums(case: Case, played: Replay) -> Sums:
    squared = (played.values() - case.truth) ** 2 - case.truth_variance
    wrong, found = np.zeros(case.num_problems), np.zeros(case.num_problems)
    for solution, error, step in zip(
        case.solutions, case.errors, played.first_dead(case.solutions), strict=True
    ):
        if error is not None:
            problem = case.groups[played.pool.index[solution.prefixes[0]]]
            wrong[problem] += 1
            found[problem] += step == error
    return Sums(
        _by_problem(case, squared), _by_problem(case, np.ones_like(squared)),
        _by_problem(case, played.num_rollouts), wrong, found,
    )  # fmt: skip


def _by_problem(case: Case, amounts: ArrayLike) -> Floats:
    weights = np.asarray(amounts, dtype=np.float64)
    return np.bincount(case.groups, weights=weights, minlength=case.num_problems).astype(np.float64)


def _mean(sums: Iterable[Sums]) -> Sums:
    """Return the mean over orders of each figure."""
    columns = zip(*((each.squared, each.prefixes, each.rollouts, each.wrong, each.found)
                    for each in sums), strict=True)  # fmt: skip
    return Sums(*(np.mean(column, axis=0) for column in columns))
