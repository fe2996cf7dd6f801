"""Executes pool units: the outcome of every rollout of a few problems' prefixes."""

import time
from collections.abc import Callable

from pav.models.planners.blocks import ProblemLabels, label_problem
from pav.models.planners.exhaustive import exhaustive
from pav.models.prefixes import prefix_id
from pav.models.records import Prefix, Verdict
from pav.models.settings import RunSettings
from pav.tasks.benches.pool_plan import STAGE
from pav.tasks.datasets import frame, to_parquet
from pav.tasks.label_planners import open_prefixes
from pav.tasks.roles import Roles, policy_folder
from pav.tasks.sampling import Progress, shard_problems
from pav.tasks.store import Store
from pav.tasks.units import Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]

Row = dict[str, object]


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; the engine stays loaded between units."""
    roles = Roles(settings, device)

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        values = unit.parameters
        folder = policy_folder(settings, store, values["role"], unit.inputs["policy"])
        driver = roles.driver(
            shard_problems(store, unit),
            policies={"policy": (values["policy_id"], folder)},
            progress=lambda done, total: progress("problems", done, total),
        )
        numbers = range(
            values["block"],
            values["block"] + (values["pool"] + values["truth"]) // values["block_size"],
        )
        prefixes = open_prefixes(store, unit)
        labelled = driver.run(
            [
                label_problem(
                    [exhaustive(prefixes[problem_id], numbers)], policy="policy",
                    block_size=values["block_size"], seed=values["pipeline_seed"],
                    max_tokens=values["max_tokens"],
                )
                for problem_id in values["problems"]
            ]
        )  # fmt: skip
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
    size = unit.parameters["pool"]
    return [
        {"prefix_id": prefix_id(prefix), "problem_id": prefix.problem_id,
         "steps": list(prefix.steps), "policy_id": unit.parameters["policy_id"],
         "outcomes": marks[:size], "truth_correct": marks[size:].count("1"),
         "truth_rollouts": len(marks) - size, "unit_id": unit.unit_id}
        for prefix, marks in outcomes.items()
    ]  # fmt: skip
