"""`pav bench NAME`: measures this machine on the run's own policy and prefixes."""

import json
import os
from collections.abc import Mapping
from typing import Any

from pav.flows.plan import Plan
from pav.flows.run import run_until
from pav.models.errors import InputError, WorkError
from pav.models.settings import RunSettings
from pav.tasks.store import Store
from pav.tasks.units import Manifest

BENCHES = ("engine", "grading", "publish")


def bench(name: str, settings: RunSettings, store: Store, *, data: str = "") -> dict[str, Any]:
    """Return the figures of a bench, after writing them to `bench/NAME.json` of the store.

    `data` is the folder of labelled problems that `grading` is measured on, or the number of
    rollouts of the store that is made up for `publish`.
    """
    if name not in BENCHES:
        raise InputError(f"bench {name!r}: expected one of {', '.join(BENCHES)}")
    if name == "publish":
        figures = _publish(data)
    else:
        figures = _grading(settings, data) if name == "grading" else _engine(settings, store)
    store.write_bytes(f"bench/{name}.json", (json.dumps(figures, indent=2) + "\n").encode())
    return figures


def _grading(settings: RunSettings, data: str) -> dict[str, Any]:
    from pav.tasks.grading_bench import bench_grading

    if not data:
        raise InputError("bench grading: expected --data FOLDER with gsm8k/ and math/, got none")
    return bench_grading(data, settings.grade)


def _publish(data: str) -> dict[str, Any]:
    from pav.tasks.publish_bench import NUM_ROLLOUTS, bench_publish

    if data and not (data.isdecimal() and int(data)):
        raise InputError(f"bench publish: expected --data NUMBER of rollouts, got {data!r}")
    return bench_publish(int(data) if data else NUM_ROLLOUTS)


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
    if figures["bench"] == "grading":
        from pav.tasks.grading_bench import as_text as grading_text

        return grading_text(figures)
    if figures["bench"] == "publish":
        from pav.tasks.publish_bench import as_text as publish_text

        return publish_text(figures)
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
