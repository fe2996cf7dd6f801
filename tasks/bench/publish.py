"""`pav bench publish`: how long labels.duckdb takes to build, and each saved query to answer."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pav import sql
from pav.tasks.bench.measuring import in_child, peak_bytes, timed
from pav.tasks.bench.publish_data import fill
from pav.tasks.database.publishing import DATABASE, publish_database
from pav.tasks.database.queries import ask, check_store
from pav.tasks.store.store import Store

PUBLISH_SECONDS, PUBLISH_BYTES, QUERY_SECONDS = 60.0, 4 * 2**30, 2.0
# 625,000 labels of 16.
NUM_ROLLOUTS = 10_000_000
# Reads raw rollouts, of which the generated store has none.
_LEFT_OUT = ("passing_targets",)
_TABLES = (
    "problems", "solutions", "prefixes", "solution_prefixes", "label_blocks", "labels", "units",
)  # fmt: skip


def bench_publish(num_rollouts: int) -> dict[str, Any]:
    """Return sizes, seconds and peak memory on a generated store of so many rollouts.

    `seconds` is wall time; `cpu_seconds`, of all cores, is what a busy machine changes less.
    """
    with tempfile.TemporaryDirectory(prefix="pav-bench-") as folder:
        in_child(_generate, folder, num_rollouts)
        published = in_child(_publish, folder)
        queries = in_child(_ask_all, folder)
    cores = len(os.sched_getaffinity(0))
    return {"bench": "publish", "num_cores": cores, **published, "queries": queries}


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    sizes = ", ".join(f"{number:,} {name}" for name, number in figures["num_rows"].items())
    lines = [
        f"{figures['num_rollouts']:,} rollouts on {figures['num_cores']} cores: {sizes}",
        f"{'':26} {'seconds':>8} {'of cores':>9} {'promised':>9}",
        _line("publish, checks included", figures["publish"], f"{PUBLISH_SECONDS:g}"),
        _line("the checks alone", figures["check"]),
    ]
    lines += [_line(f"pav sql {name}", each, f"{QUERY_SECONDS:g}")
              for name, each in figures["queries"].items()]  # fmt: skip
    lines.append(
        f"peak memory of publishing {figures['peak_bytes'] / 2**30:.2f} GiB (promised "
        f"{PUBLISH_BYTES / 2**30:g}), labels.duckdb {figures['database_bytes'] / 2**20:.0f} MiB"
    )
    return "\n".join(lines)


def _line(name: str, timed: Mapping[str, float], promised: str = "") -> str:
    row = f"{name:26} {timed['seconds']:8.2f} {timed['cpu_seconds']:9.2f} {promised:>9}"
    return row.rstrip()


def _generate(folder: str, num_rollouts: int) -> None:
    fill(Store(folder), num_rollouts)


def _publish(folder: str) -> dict[str, Any]:
    store = Store(folder)
    publish: dict[str, float] = {}
    check: dict[str, float] = {}
    with timed(publish):
        faults = publish_database(store).faults
    most_bytes = peak_bytes()
    with timed(check):
        check_store(store)
    counts = ", ".join(f"(select count(*) from {name}) as {name}" for name in _TABLES)
    [num_rollouts] = ask(store, "select sum(num_rollouts) from labels").row(0)
    return {
        "num_rollouts": num_rollouts,
        "num_rows": ask(store, f"select {counts}").row(0, named=True),
        "num_faults": len(faults),
        "publish": publish,
        "check": check,
        "peak_bytes": most_bytes,
        "database_bytes": (Path(folder) / DATABASE).stat().st_size,
    }


def _ask_all(folder: str) -> dict[str, dict[str, float]]:
    store = Store(folder)
    answers: dict[str, dict[str, float]] = {}
    for name in sql.names("queries"):
        if name not in _LEFT_OUT:
            answers[name] = {}
            with timed(answers[name]):
                num_rows = ask(store, name).height
            answers[name]["num_rows"] = num_rows
    return answers
