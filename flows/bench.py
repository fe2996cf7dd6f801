"""`pav bench NAME`: measures this machine on the run's own policy and prefixes."""

import json
import os
from collections.abc import Mapping
from typing import Any

from pav.flows.plan import Plan
from pav.flows.run import run_until
from pav.models.domains import domain_of
from pav.models.errors import InputError, WorkError
from pav.models.settings import RunSettings
from pav.tasks.manifests import find_many
from pav.tasks.orchestrator import orchestrated
from pav.tasks.planning import missing
from pav.tasks.pool_plan import plan_pool
from pav.tasks.store import Store
from pav.tasks.units import Manifest

BENCHES = ("engine", "labels", "grading", "coverage")


def bench(name: str, settings: RunSettings, store: Store, *, data: str = "") -> dict[str, Any]:
    """Return the figures of a bench, after writing them to `bench/NAME.json` of the store.

    `data` is the folder of labelled problems that `grading` is measured on.
    """
    if name not in BENCHES:
        raise InputError(f"bench {name!r}: expected one of {', '.join(BENCHES)}")
    figures = _measured(name, settings, store, data)
    store.write_bytes(f"bench/{name}.json", (json.dumps(figures, indent=2) + "\n").encode())
    return figures


def _measured(name: str, settings: RunSettings, store: Store, data: str) -> dict[str, Any]:
    if name == "grading":
        return _grading(settings, data)
    if name == "coverage":
        from pav.tasks.coverage_bench import bench_coverage

        return bench_coverage()
    return _labels(settings, store) if name == "labels" else _engine(settings, store)


# The exhaustive labels whose error `labels` are timed at, in rollouts of a prefix.
TIMED_AT = 32


def _labels(settings: RunSettings, store: Store) -> dict[str, Any]:
    if settings.problems.domain != "countdown":
        raise InputError(
            "bench labels: expected problems.domain countdown, whose first errors an exact solver "
            f"knows, got {settings.problems.domain!r}"
        )
    run_until("sample", settings, store)
    plan = Plan(settings, store)
    base = plan.policies["base"]
    sampled = plan.of_seed("sample", settings.pipeline_seeds[0])
    units = plan_pool(settings, store, policy=base, sampled=sampled)
    if todo := missing(store, units):
        with orchestrated():
            # Prefect takes seconds to import, and a pool that is drawn never needs it.
            from pav.flows.pool import pool

            pool(settings, store.root, todo)
    pools = list(find_many(store, units).values())
    from pav.tasks.label_bench import read_case
    from pav.tasks.label_bench_figures import equal_rollouts, label_figures
    from pav.tasks.label_bench_rates import bench_rates

    case = read_case(store, pools, plan.problems, domain_of(settings.problems))
    figures = label_figures(case, seed=0)
    wanted = equal_rollouts(figures, planner="adaptive, budget", at=f"n = {TIMED_AT}")
    rates = bench_rates(
        settings, store, pools, policy=base, fixed=TIMED_AT, rollouts_per_prefix=wanted
    )
    return {"bench": "labels", **figures, "rates": rates}


def _grading(settings: RunSettings, data: str) -> dict[str, Any]:
    from pav.tasks.grading_bench import bench_grading

    if not data:
        raise InputError("bench grading: expected --data FOLDER with gsm8k/ and math/, got none")
    return bench_grading(data, settings.grade)


def _engine(settings: RunSettings, store: Store) -> dict[str, Any]:
    run_until("sample", settings, store)
    plan = Plan(settings, store)
    # torch takes a second to import, and a wrong name needs none of it.
    from pav.tasks.engine_bench import bench_engine

    return bench_engine(
        settings,
        store,
        plan.policies["base"],
        _largest(plan.of_seed("sample", settings.pipeline_seeds[0])),
        num_threads=max(1, len(os.sched_getaffinity(0)) // settings.runner.workers),
    )


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    if figures["bench"] == "labels":
        from pav.tasks.label_bench_figures import as_text as labels_text

        return labels_text(figures)
    if figures["bench"] == "grading":
        from pav.tasks.grading_bench import as_text as grading_text

        return grading_text(figures)
    if figures["bench"] == "coverage":
        from pav.tasks.coverage_bench import as_text as coverage_text

        return coverage_text(figures)
    lines = [f"{'':32} {'labels/s':>10} {'rollouts/s':>11} {'tokens/s':>10}"]
    for rate in figures["rates"]:
        cells = [rate["labels_per_second"], rate["rollouts_per_second"], rate["tokens_per_second"]]
        lines.append(f"{rate['name']:32} {cells[0]:10,.0f} {cells[1]:11,.0f} {cells[2]:10,.0f}")
    for ratio in figures["ratios"]:
        promise = f"promised {ratio['target']:g}" if ratio["target"] else "for scale"
        lines.append(f"{ratio['name']:32} {ratio['value']:10.2f} {promise:>22}")
    return "\n".join(lines)


def _largest(sampled: list[Manifest]) -> Manifest:
    """Return the training shard with the most solutions."""
    of_train = [each for each in sampled if each.unit.parameters["split"] == "train"]
    if not of_train:
        raise WorkError("bench: expected a sampled training shard, there is none")
    return max(of_train, key=lambda each: sum(file.num_rows for file in each.files))
