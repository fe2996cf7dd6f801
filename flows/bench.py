"""`pav bench NAME`: measures this machine on the run's own policy and prefixes."""

import json
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from pav.flows.plan import Plan
from pav.flows.run import prefect_ready, run_until
from pav.models.domains import domain_key, domain_of, solver_of
from pav.models.domains.kind import Solver
from pav.models.errors import InputError, WorkError
from pav.models.settings import RunSettings
from pav.tasks.bench.pool_plan import plan_pool
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.store.manifests import find_many
from pav.tasks.store.stage_report import missing
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest

Figures = dict[str, Any]
# Name -> the module that shows its figures to people. It is imported when it is needed, as torch
# takes a second and a wrong name needs none of it.
_SHOWN_BY = {
    "engine": "pav.tasks.bench.engine",
    "labels": "pav.tasks.bench.label_figures",
    "grading": "pav.tasks.bench.grading",
    "coverage": "pav.tasks.bench.coverage",
    "publish": "pav.tasks.bench.publish",
    "problems": "pav.tasks.bench.problems",
    "memory": "pav.tasks.bench.memory",
}
# Rollouts of a prefix whose error `labels` are timed at, the block of the budget, and how many
# prefixes are labelled. Eight is what Math-Shepherd and OmegaPRM label with.
_BUDGET = "adaptive, budget"
TIMED_AT = ((8, 2, 8000), (32, 4, 2000))


def bench(name: str, settings: RunSettings, store: Store, *, data: str = "") -> Figures:
    """Return the figures of a bench, after writing them to `bench/NAME.json` of the store.

    `data` is the folder of labelled problems that `grading` is measured on, or the number of
    rollouts of the store that is made up for `publish`.
    """
    if name not in _SHOWN_BY:
        raise InputError(f"bench {name!r}: expected one of {', '.join(_SHOWN_BY)}")
    figures = _MEASURES[name](settings, store, data)
    store.write_bytes(f"bench/{name}.json", (json.dumps(figures, indent=2) + "\n").encode())
    return figures


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    text: str = import_module(_SHOWN_BY[figures["bench"]]).as_text(figures)
    return text


def _coverage(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.coverage import bench_coverage

    return bench_coverage()


def _grading(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.grading import bench_grading

    if not data:
        raise InputError("bench grading: expected --data FOLDER with gsm8k/ and math/, got none")
    return bench_grading(data, settings.grade)


def _publish(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.publish import NUM_ROLLOUTS, bench_publish

    if data and not (data.isdecimal() and int(data)):
        raise InputError(f"bench publish: expected --data NUMBER of rollouts, got {data!r}")
    return bench_publish(int(data) if data else NUM_ROLLOUTS)


def _problems(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.problems import bench_problems

    return bench_problems(settings.problems)


def _memory(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.memory import bench_memory

    return bench_memory(settings.prepare)


def _engine(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.engine import bench_engine

    run_until("sample", settings, store)
    plan = Plan(settings, store)
    return bench_engine(
        settings,
        store,
        plan.policies["base"],
        _largest(plan.of_seed("sample", settings.pipeline_seeds[0])),
        num_threads=max(1, len(os.sched_getaffinity(0)) // settings.runner.workers),
    )


def _labels(settings: RunSettings, store: Store, data: str) -> Figures:
    from pav.tasks.bench.label_case import read_case
    from pav.tasks.bench.label_figures import equal_rollouts, label_figures
    from pav.tasks.bench.label_plot import curve_figures
    from pav.tasks.bench.label_rates import Timing, bench_rates

    solver = _known_solver(settings)
    pools = _pools(settings, store)
    plan = Plan(settings, store)
    case = read_case(store, pools, plan.problems, domain_of(settings), solver=solver)
    figures = label_figures(case, seed=0)
    timings = [
        Timing(fixed, block, equal_rollouts(figures, _BUDGET, at=f"n = {fixed}"), num_prefixes)
        for fixed, block, num_prefixes in TIMED_AT
    ]
    sampled = plan.of_seed("sample", settings.pipeline_seeds[0])
    rates = bench_rates(settings, store, sampled, policy=plan.policies["base"], timings=timings)
    for name, svg in curve_figures(figures).items():
        store.write_bytes(f"bench/{name}", svg)
    return {"bench": "labels", **figures, "rates": rates}


def _known_solver(settings: RunSettings) -> Solver:
    if solver := solver_of(domain_key(settings)):
        return solver
    raise InputError(
        "bench labels: expected a problems.domain with an exact solver, which knows first errors, "
        f"such as countdown, got {settings.problems.domain!r}"
    )


def _pools(settings: RunSettings, store: Store) -> list[Manifest]:
    """Draw the rollouts that planners are measured on, unless they are there."""
    run_until("sample", settings, store)
    plan = Plan(settings, store)
    sampled = plan.of_seed("sample", settings.pipeline_seeds[0])
    units = plan_pool(settings, store, policy=plan.policies["base"], sampled=sampled)
    if todo := missing(store, units):
        with prefect_ready():
            # Prefect takes seconds to import, and a pool that is drawn never needs it.
            from pav.flows.pool import pool

            pool(settings, store.root, todo)
    return list(find_many(store, units).values())


def _largest(sampled: list[Manifest]) -> Manifest:
    """Return the training shard with the most solutions."""
    of_train = [each for each in sampled if Shard.of(each.unit).split == "train"]
    if not of_train:
        raise WorkError("bench: expected a sampled training shard, there is none")
    return max(of_train, key=lambda each: sum(file.num_rows for file in each.files))


_MEASURES: Mapping[str, Callable[[RunSettings, Store, str], Figures]] = {
    "engine": _engine,
    "labels": _labels,
    "grading": _grading,
    "coverage": _coverage,
    "publish": _publish,
    "problems": _problems,
    "memory": _memory,
}
