"""Executes evaluation units: every arm of a unit on every problem of its split."""

import time
from collections.abc import Callable

from pav.models.labels.budget import total_cost
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.tasks.engine.engines import Engines
from pav.tasks.engine.scorer import verifier_source
from pav.tasks.evaluate.plan import STAGE, SearchWork
from pav.tasks.evaluate.search import search
from pav.tasks.prepare.policies import policy_folder
from pav.tasks.problems.published import read_problems
from pav.tasks.sample.work import Progress
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; engine and verifiers stay loaded between units."""
    engines = Engines(settings, device)

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        folder = policy_folder(settings, store, "base", unit.inputs["policy"])
        work = SearchWork.of(unit)
        driver = engines.driver(
            work,
            split_problems(store, unit.inputs["problems"], work.split),
            policies={"base": (work.policy_id, folder)},
            verifiers={
                role: verifier_source(store, ref, role)
                for role, ref in unit.inputs.items()
                if role not in ("policy", "problems")
            },
            progress=lambda done, total: progress("problems", done, total),
        )
        spent: list[dict[str, float]] = []
        searched = search(driver, work, unit_id=unit.unit_id, spent=spent)
        tables = {"search_results": searched.results, "final_picks": searched.picks}
        outputs = tuple(
            Output(f"{name}.parquet", to_parquet(name, frame(name, rows)), len(rows))
            for name, rows in tables.items()
        )
        cost = total_cost(spent) | {"seconds": time.perf_counter() - started}
        return Outcome(outputs, cost, engines.made_with)

    return execute


def split_problems(store: Store, problems: InputRef, split: str) -> dict[str, Problem]:
    """Return the problems of a split by id, in order."""
    everything = read_problems(store, problems.unit_id)
    return {name: each for name, each in sorted(everything.items()) if each.split == split}
