"""Plays planners against rollouts that are drawn already, to see what they would have cost.

Shapes: P prefixes, B blocks of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pav.models.errors import InputError
from pav.models.labels.allocation import Budget, spend_budget
from pav.models.planners.blocks import OpenSolution, Planner, Rolled
from pav.models.planners.rules import ALLOCATED, FIXED, FRESH, rank
from pav.models.records import Grading, Prefix, Sample, Verdict

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_SAMPLE = Sample((), "stop", 0)


@dataclass(frozen=True)
class Pool:
    """The blocks that were drawn: how many of each block's `size` rollouts are right, (P, B)."""

    prefixes: tuple[Prefix, ...]
    right: Integers
    size: int

    @cached_property
    def index(self) -> dict[Prefix, int]:
        """The row of each prefix."""
        return {prefix: row for row, prefix in enumerate(self.prefixes)}

    def grouped(self, count: int) -> "Pool":
        """Return the same rollouts in blocks of `count` of these."""
        whole = self.right.shape[1] // count
        right = self.right[:, : whole * count].reshape(len(self.prefixes), whole, count)
        return Pool(self.prefixes, right.sum(axis=2), self.size * count)

    def shuffled(self, seed: int) -> "Pool":
        """Return the same rollouts with every prefix's blocks in another order."""
        random = np.random.default_rng(seed)
        return Pool(self.prefixes, random.permuted(self.right, axis=1), self.size)


@dataclass
class Replay:
    """Which blocks were drawn of a pool, by which rule each counts, what each planner returned."""

    pool: Pool
    rules: dict[tuple[int, int], str] = field(default_factory=dict)
    returned: list[Any] = field(default_factory=list)

    @property
    def num_rollouts(self) -> Integers:
        """Rollouts that each prefix cost, shape (P,)."""
        return self.totals(self.rules)[1]

    def totals(self, keys: Iterable[tuple[int, int]]) -> tuple[Integers, Integers]:
        """Return (num_correct, num_rollouts) over some drawn blocks, both of shape (P,)."""
        correct = np.zeros(len(self.pool.prefixes), dtype=np.int64)
        blocks = np.zeros_like(correct)
        rows, numbers = np.array(list(keys), dtype=np.int64).reshape(-1, 2).T
        np.add.at(correct, rows, self.pool.right[rows, numbers])
        np.add.at(blocks, rows, 1)
        return correct, blocks * self.pool.size

    def labels(self) -> tuple[Integers, Integers]:
        """Return the counts of the labels, over all that was drawn of each prefix."""
        return self.totals(self.rules)

    def values(self) -> Floats:
        """Return the value of each prefix; without a label, the value that the planner implies.

        The implied value is 0 behind a prefix that was found dead, else the value of the prefix
        before it. A bare problem without rollouts has one half.
        """
        correct, rollouts = self.labels()
        found = self.totals(key for key, rule in self.rules.items() if rule != FRESH)
        index = self.pool.index
        values = np.full(len(index), 0.5)
        for prefix, row in sorted(index.items(), key=lambda item: len(item[0].steps)):
            before = (
                index.get(Prefix(prefix.problem_id, prefix.steps[:-1])) if prefix.steps else None
            )
            if rollouts[row]:
                values[row] = correct[row] / rollouts[row]
            elif before is not None:
                is_dead = found[1][before] > 0 and found[0][before] == 0
                values[row] = 0.0 if is_dead else values[before]
        return values

    def first_dead(self, solutions: Iterable[OpenSolution]) -> list[int]:
        """Return for each solution the steps of its first prefix without a right rollout.

        All drawn blocks count. If each open prefix has a right rollout, the result is the number of
        open prefixes: the end of a wrong solution is dead by its verdict.
        """
        correct, rollouts = self.totals(self.rules)
        index = self.pool.index
        is_dead = ((rollouts > 0) & (correct == 0)).tolist()
        return [
            next(
                (step for step, prefix in enumerate(each.prefixes) if is_dead[index[prefix]]),
                len(each.prefixes),
            )
            for each in solutions
        ]


def replay(pool: Pool, planners: Iterable[Planner]) -> Replay:
    """Play planners to their end; InputError where one wants more blocks than were drawn."""
    played = Replay(pool)
    index = pool.index
    for planner in planners:
        reply: list[Rolled] | None = None
        try:
            while True:
                # A generator that has not begun takes None, which its type cannot say.
                blocks = planner.send(reply)  # type: ignore[arg-type]
                reply = []
                for block in blocks:
                    key = index[block.prefix], block.number
                    known = played.rules.setdefault(key, block.rule)
                    played.rules[key] = min(known, block.rule, key=rank)
                    reply.append(_rolled(pool, *key))
        except StopIteration as stop:
            played.returned.append(stop.value)
    return played


def replay_budget(pool: Pool, rollouts: int, *, num_rounds: int, most: int) -> Replay:
    """Spend a common budget on a pool in rounds; `most` blocks of one prefix at most."""
    kinds = np.array([len(prefix.steps) for prefix in pool.prefixes], dtype=np.int64)
    places = np.arange(pool.right.shape[1])

    def draw(blocks: Integers, taken: Integers) -> Integers:
        drawn = (places >= blocks[:, None]) & (places < (blocks + taken)[:, None])
        return np.asarray((pool.right * drawn).sum(axis=1))

    budget = Budget(rollouts, pool.size, num_rounds)
    spent = spend_budget(kinds, budget, most=min(most, len(places)), draw=draw)
    played = Replay(pool)
    played.rules = {
        (row, number): ALLOCATED if number else FIXED
        for row, count in enumerate(spent.tolist())
        for number in range(count)
    }
    return played


def _rolled(pool: Pool, row: int, number: int) -> Rolled:
    if number >= pool.right.shape[1]:
        raise InputError(
            f"replay: expected block numbers below {pool.right.shape[1]}, got {number}; draw more"
        )
    return _graded(int(pool.right[row, number]), pool.size)


@lru_cache(maxsize=4096)
def _graded(num_right: int, size: int) -> Rolled:
    right = [(_SAMPLE, Grading(Verdict.CORRECT))] * num_right
    return [*right, *[(_SAMPLE, Grading(Verdict.WRONG))] * (size - num_right)]
