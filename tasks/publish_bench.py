"""`pav bench publish`: how long labels.duckdb takes to build, and each saved query to answer."""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pav import sql
from pav.tasks.publish_bench_data import fill
from pav.tasks.publishing import DATABASE, publish_database
from pav.tasks.queries import ask, check_store
from pav.tasks.store import Store

PUBLISH_SECONDS, PUBLISH_BYTES, QUERY_SECONDS = 60.0, 4 * 2**30, 2.0
# 625,000 labels of 16.
NUM_ROLLOUTS = 10_000_000
# Reads raw rollouts, of which the generated store has none.
_LEFT_OUT = ("passing_targets",)
_TABLES = (
    "problems", "solutions", "prefixes", "solution_prefixes", "label_blocks", "labels", "units",
)  # fmt: skip


def bench_publish(num_rollouts: int) -> dict[str, Any]:
    """Return sizes, seconds and peak memory on a generated store of so many rollouts."""
    with tempfile.TemporaryDirectory(prefix="pav-bench-") as folder:
        generate_seconds = _in_child(_generate, folder, num_rollouts)
        published = _in_child(_publish, folder)
        queries = _in_child(_ask_all, folder)
    return {
        "bench": "publish",
        "num_cores": len(os.sched_getaffinity(0)),
        "generate_seconds": generate_seconds,
        **published,
        "queries": queries,
    }


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    sizes = ", ".join(f"{number:,} {name}" for name, number in figures["num_rows"].items())
    lines = [
        f"{figures['num_rollouts']:,} rollouts on {figures['num_cores']} cores: {sizes}",
        _line("publish, checks included", figures["publish_seconds"], PUBLISH_SECONDS),
        _line("of that the checks", figures["check_seconds"]),
        f"{'peak memory of publishing':28} {figures['peak_bytes'] / 2**30:8.2f} GiB"
        f"   promised {PUBLISH_BYTES / 2**30:g}",
        f"{'labels.duckdb':28} {figures['database_bytes'] / 2**20:8.1f} MiB",
    ]
    lines += [_line(f"pav sql {name}", each["seconds"], QUERY_SECONDS)
              for name, each in figures["queries"].items()]  # fmt: skip
    return "\n".join(lines)


def _line(name: str, seconds: float, promised: float = 0.0) -> str:
    return f"{name:28} {seconds:8.2f} s" + (f"     promised {promised:g}" if promised else "")


def _in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function gives in a process of its own, whose peak memory is its own too."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


def _generate(folder: str, num_rollouts: int) -> float:
    started = time.perf_counter()
    fill(Store(folder), num_rollouts)
    return time.perf_counter() - started


def _publish(folder: str) -> dict[str, Any]:
    store = Store(folder)
    started = time.perf_counter()
    faults = publish_database(store).faults
    seconds = time.perf_counter() - started
    peak_bytes = _peak_bytes()
    started = time.perf_counter()
    check_store(store)
    check_seconds = time.perf_counter() - started
    counts = {name: f"(select count(*) from {name}) as {name}" for name in _TABLES}
    num_rows = ask(store, f"select {', '.join(counts.values())}").row(0, named=True)
    [num_rollouts] = ask(store, "select sum(num_rollouts) from labels").row(0)
    return {
        "num_rollouts": num_rollouts,
        "num_rows": num_rows,
        "num_faults": len(faults),
        "publish_seconds": seconds,
        "check_seconds": check_seconds,
        "peak_bytes": peak_bytes,
        "database_bytes": (Path(folder) / DATABASE).stat().st_size,
    }


def _peak_bytes() -> int:
    """Return the most memory that this process held; macOS counts bytes, Linux KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _ask_all(folder: str) -> dict[str, dict[str, float]]:
    store = Store(folder)
    answers = {}
    for name in sql.names("queries"):
        if name not in _LEFT_OUT:
            started = time.perf_counter()
            num_rows = ask(store, name).height
            answers[name] = {"seconds": time.perf_counter() - started, "num_rows": num_rows}
    return answers
