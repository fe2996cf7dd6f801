"""Time and memory of a part of a bench, in a process of its own."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function gives in a process of its own, whose peak memory is its own too."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def timed(figures: dict[str, float]) -> Iterator[None]:
    """Put wall and processor seconds of the block into `figures`."""
    wall, cores = time.perf_counter(), time.process_time()
    yield
    figures["seconds"] = time.perf_counter() - wall
    figures["cpu_seconds"] = time.process_time() - cores


def resident_bytes() -> int:
    """Return the memory that this process holds now; without /proc, the most it ever held."""
    return _status("VmRSS")


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    return _status("VmHWM")


def _status(field: str) -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage starts from the peak of the process that this one was forked from.
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields[field].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
