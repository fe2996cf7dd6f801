"""Executes pool units: the outcome of every rollout of a few problems' prefixes."""

import time
from collections.abc import Callable

from pav.models.planners.blocks import ProblemLabels
from pav.models.planners.exhaustive import exhaustive
from pav.models.prefixes import prefix_id
from pav.models.records import Prefix, Verdict
from pav.models.settings import RunSettings
from pav.tasks.bench.pool_plan import FIRST_BLOCK, STAGE, PoolWork
from pav.tasks.engine.engines import Engines
from pav.tasks.label.planners import open_prefixes
from pav.tasks.label.work import labelling_driver, run_unit_planners
from pav.tasks.sample.work import Progress
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]

Row = dict[str, object]


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; the engine stays loaded between units."""
    engines = Engines(settings, device)

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        work = PoolWork.of(unit)
        driver = labelling_driver(engines, store, unit, work, progress)
        num_blocks = (work.pool + work.truth) // work.block_size
        numbers = range(FIRST_BLOCK, FIRST_BLOCK + num_blocks)
        prefixes = open_prefixes(store, unit)
        labelled = run_unit_planners(
            driver, work, [[exhaustive(prefixes[name], numbers)] for name in work.problems]
        )
        rows = [row for labels in labelled for row in _rows(unit, labels)]
        output = Output("pools.parquet", to_parquet("pools", frame("pools", rows)), len(rows))
        return Outcome((output,), {**driver.spent, "seconds": time.perf_counter() - started})

    return execute


def _rows(unit: Unit, labels: ProblemLabels) -> list[Row]:
    """Return each prefix with its outcomes in the order of drawing, 1 for right."""
    outcomes: dict[Prefix, str] = {}
    for block, rolled in labels.blocks():
        marks = "".join("1" if grading.verdict == Verdict.CORRECT else "0" for _, grading in rolled)
        outcomes[block.prefix] = outcomes.get(block.prefix, "") + marks
    work = PoolWork.of(unit)
    size = work.pool
    return [
        {"prefix_id": prefix_id(prefix), "problem_id": prefix.problem_id,
         "steps": list(prefix.steps), "policy_id": work.policy_id,
         "outcomes": marks[:size], "truth_correct": marks[size:].count("1"),
         "truth_rollouts": len(marks) - size, "unit_id": unit.unit_id}
        for prefix, marks in outcomes.items()
    ]  # fmt: skip
