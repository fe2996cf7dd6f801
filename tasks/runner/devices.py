"""Which device a worker uses, and the OS lock that keeps two runs off one GPU."""

import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pav.models.errors import InputError

_LOOK_SECONDS = 0.5
_GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def resolve_device(requested: str, index: int) -> str:
    """Return `cpu` or `cuda:N` for the worker of that index; torch is asked only if need be."""
    if requested == "cpu" or (requested == "auto" and not any(map(os.path.exists, _GPU_FILES))):
        return "cpu"
    kind, _, number = requested.partition(":")
    if requested not in ("auto", "cuda") and not (kind == "cuda" and number.isdecimal()):
        raise InputError(
            f"engine.device: expected 'auto', 'cpu', 'cuda' or 'cuda:N', got {requested!r}"
        )
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if requested == "auto" and count == 0:
        return "cpu"
    chosen = int(number) if number else index % max(count, 1)
    if chosen >= count:
        raise InputError(
            f"engine.device: {requested!r} was asked for, torch sees {count} CUDA devices; "
            "use 'auto' or 'cpu'"
        )
    return f"cuda:{chosen}"


def cores_per_worker(num_workers: int) -> int:
    """Return how many threads each of that many workers may use on this machine."""
    return max(1, len(os.sched_getaffinity(0)) // num_workers)


class DeviceLocks:
    """Locks on GPUs, held by one run for all its workers until it closes or dies.

    Workers of one run share a GPU on purpose; another run waits. Cores need no lock.
    """

    def __init__(self) -> None:
        self._held: dict[str, FileLock] = {}
        self._guard = threading.Lock()

    def hold(self, device: str, waiting: Callable[[str], None] = lambda message: None) -> None:
        """Return once this run holds the device; `waiting` hears of a run that has it."""
        if not device.startswith("cuda"):
            return
        with self._guard:
            if device not in self._held:
                self._held[device] = _lock(device, waiting)

    def close(self) -> None:
        """Give every device back."""
        with self._guard:
            for lock in self._held.values():
                lock.release(force=True)
            self._held.clear()


def lock_path(device: str) -> Path:
    """Return the lock file of a device, the same for every run on this machine."""
    return Path(tempfile.gettempdir()) / f"pav-{device.replace(':', '-')}.lock"


def _lock(device: str, waiting: Callable[[str], None]) -> FileLock:
    # Any thread may give it back, and any user may take it.
    lock = FileLock(lock_path(device), mode=0o666, thread_local=False)
    while True:
        with suppress(Timeout):
            lock.acquire(timeout=_LOOK_SECONDS)
            return lock
        waiting(f"waiting for {device}, which another run holds")
