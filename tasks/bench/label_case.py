"""What `pav bench labels` plays planners against: drawn rollouts, their truth and first errors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.models.domains import Domain
from pav.models.domains.kind import Solver
from pav.models.planners.blocks import OpenSolution
from pav.models.planners.replay import Pool
from pav.models.records import Prefix, Problem
from pav.tasks.bench.pool_plan import PoolWork
from pav.tasks.label.planners import open_solutions
from pav.tasks.store.manifests import read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest

Floats = NDArray[np.float64]
# Rollouts in a block of the bench: small, so that a planner can stop early.
BLOCK = 2


@dataclass(frozen=True)
class Case:
    """The pool with its truth, and the solutions that pass through it, with true first errors.

    `errors` has the steps up to the first prefix that no right answer can follow; None for a
    correct solution. `groups` numbers the problem of each prefix.
    """

    pool: Pool
    truth: Floats
    truth_variance: Floats
    groups: NDArray[np.int64]
    solutions: tuple[OpenSolution, ...]
    errors: tuple[int | None, ...]

    @property
    def num_problems(self) -> int:
        """Problems in the pool."""
        return int(self.groups.max()) + 1


def read_case(
    store: Store,
    pools: Sequence[Manifest],
    problems: Mapping[str, Problem],
    domain: Domain,
    *,
    solver: Solver,
) -> Case:
    """Return what the pool units drew, prefixes by problem and steps."""
    table = _table(store, pools)
    prefixes = tuple(_prefixes(table))
    marks = np.array([list(map(int, text)) for text in table["outcomes"]], dtype=np.int64)
    right = marks.reshape(len(prefixes), -1, BLOCK).sum(axis=2)
    rollouts = table["truth_rollouts"].to_numpy()
    truth = table["truth_correct"].to_numpy() / rollouts
    solutions = _solutions(store, pools, domain)
    return Case(
        Pool(prefixes, right, BLOCK), truth, truth * (1 - truth) / (rollouts - 1),
        table["problem_id"].rank("dense").to_numpy().astype(np.int64) - 1, solutions,
        tuple(_first_error(problems, each, solver) for each in solutions),
    )  # fmt: skip


def _table(store: Store, pools: Sequence[Manifest]) -> pl.DataFrame:
    return pl.concat(read_table(store, each, "pools") for each in pools).sort(
        "problem_id", pl.col("steps").list.len(), "prefix_id"
    )


def _prefixes(table: pl.DataFrame) -> Iterator[Prefix]:
    for problem_id, steps in table.select("problem_id", "steps").iter_rows():
        yield Prefix(problem_id, tuple(steps))


def _solutions(store: Store, pools: Sequence[Manifest], domain: Domain) -> tuple[OpenSolution, ...]:
    found = []
    for manifest in pools:
        by_problem = open_solutions(store, manifest.unit, domain)
        found += [each for name in PoolWork.of(manifest.unit).problems
                  for each in by_problem.get(name, ())]  # fmt: skip
    return tuple(found)


def _first_error(
    problems: Mapping[str, Problem], solution: OpenSolution, solver: Solver
) -> int | None:
    if solution.is_correct:
        return None
    problem = problems[solution.prefixes[0].problem_id]
    dead = (
        step for step, prefix in enumerate(solution.prefixes)
        if solver(problem, prefix)
    )  # fmt: skip
    return next(dead, len(solution.prefixes))
