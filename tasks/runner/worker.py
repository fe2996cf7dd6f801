"""The run's side of a worker process: it starts the process, gives it jobs, listens and ends it."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from pav.models.errors import EngineError, PavError, StoreError, WorkError
from pav.tasks.runner.child import Child
from pav.tasks.runner.devices import DeviceLocks, cores_per_worker
from pav.tasks.runner.messages import Beat, Done, Failure, Job, Ready, Update
from pav.tasks.store.ledger import record
from pav.tasks.store.store import Store

OnUpdate = Callable[[Update], None]
_POLL_SECONDS = 0.1
_GRACE_SECONDS = 3.0
# Number of missed beats after which a worker counts as stalled.
_MISSED_BEATS = 10


_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)  # fmt: skip
# Threads that wait must not spin: the cores are shared with other workers.
_PATIENT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}


# oneDNN, with which torch multiplies bfloat16 on a CPU, keeps a kernel of half a megabyte or more
# for each shape that it met, in two caches of over a thousand. A training on many lengths meets
# thousands of shapes. One step needs about 25 kernels, and to make one again takes a millisecond.
KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "128"}


# Everything is loaded from local folders; a bar of a library would break the run's own.
_OFFLINE = {
    "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip


class PoolClosedError(WorkError):
    """The run ends or was stopped, so no worker takes a unit any more."""


def worker_environment(num_threads: int) -> dict[str, str]:
    """Return the environment of a worker process; but for threads, what is set already stays."""
    limits = dict.fromkeys(_THREAD_VARIABLES, str(num_threads))
    return {**_PATIENT, **KERNELS, **_OFFLINE, **os.environ, **limits}


def ignore(update: Update) -> None:
    """Take no notice of an update."""


class Colleagues(Protocol):
    """What workers of one pool share, as one of them sees it."""

    requested_device: str
    stall_seconds: float
    preload: tuple[str, ...]
    is_closed: bool
    locks: DeviceLocks

    @property
    def workers(self) -> Sequence[object]:
        """All of them, which share the cores."""
        ...


class Worker:
    """One child process that works for a run; a lost one is started again at its next job."""

    def __init__(self, pool: Colleagues, index: int) -> None:
        self._pool = pool
        self._index = index
        self._child: Child | None = None
        self._device = ""
        self._is_heard = False

    @property
    def pid(self) -> int | None:
        """The process id, or None while no process runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Start the process if none runs; do not wait until it is ready."""
        if self.pid is not None:
            return
        self.kill()
        if self._pool.is_closed:
            raise PoolClosedError("the pool of worker processes is closed")
        self._child = self._spawn()
        self._device = ""
        self._is_heard = False

    def device(self, on_update: OnUpdate = ignore) -> str:
        """Return the device of the process, started and ready, with the device's lock held."""
        self.start()
        if not self._device:
            reply = self._receive(on_update)
            if isinstance(reply, Failure):
                raise reply.error
            if not isinstance(reply, Ready):
                raise EngineError(f"worker process: expected its device first, got {reply!r}")
            self._pool.locks.hold(reply.device, lambda text: on_update(Update(text, 0, 0)))
            self._device = reply.device
        return self._device

    def run(self, job: Job, on_update: OnUpdate = ignore) -> Done:
        """Execute and publish a unit; a PavError names the unit, and says what went wrong."""
        label = job.unit.title
        started = time.monotonic()
        reply = None
        loss = "interrupted: its batch of units was out of time, or the run was stopped"
        try:
            self.device(on_update)
            self._running.send(job)
            reply = self._receive(on_update)
        except PavError as error:
            loss = str(error)
            kind = PoolClosedError if self._pool.is_closed else type(error)
            raise kind(f"{label}: {error}") from None
        finally:
            # An interrupted worker would answer the next job with this one's result.
            if reply is None:
                self.kill()
                self._record_loss(job, loss, time.monotonic() - started)
        if isinstance(reply, Done):
            return reply
        if not isinstance(reply, Failure):
            raise EngineError(f"{label}: worker process: expected a result, got {reply!r}")
        failure = type(reply.error)(f"{label}: {reply.error}")
        failure.add_note(reply.details)
        raise failure

    def ask_to_end(self) -> None:
        """Tell the process that no job will follow; do not wait."""
        if self.pid is not None:
            with suppress(EngineError):
                self._running.send(None)

    def close(self) -> None:
        """Ask the process to end, then make it."""
        self.ask_to_end()
        if self._child is not None:
            self._child.wait(_GRACE_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the process now, and forget it."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise EngineError("worker process was ended")
        return self._child

    def _spawn(self) -> Child:
        beat_seconds = str(self._pool.stall_seconds / _MISSED_BEATS)
        return Child(
            "pav.tasks.runner.process",
            *(self._pool.requested_device, str(self._index), beat_seconds, *self._pool.preload),
            name="worker process",
            environment=worker_environment(cores_per_worker(len(self._pool.workers))),
            is_shown=True,
        )

    def _receive(self, on_update: OnUpdate) -> Ready | Done | Failure:
        """Return the next message that is neither beat nor update."""
        child = self._running
        silent_polls = 0
        while True:
            # Short waits: a task batch's time limit can only interrupt between two of them.
            if not child.has_news(_POLL_SECONDS):
                # Polls are counted instead of a clock: time in which this process was stopped too
                # does not count. The start does not count either, as it may be long on a slow disk.
                silent_polls += self._is_heard
                if silent_polls * _POLL_SECONDS > self._pool.stall_seconds:
                    raise EngineError(
                        f"nothing was heard of worker process {child.pid} for "
                        f"{self._pool.stall_seconds:g} s, so it was ended"
                    )
                continue
            message = child.receive()
            silent_polls, self._is_heard = 0, True
            if isinstance(message, Update):
                on_update(message)
            elif not isinstance(message, Beat):
                return message  # type: ignore[no-any-return]

    def _record_loss(self, job: Job, error: str, seconds: float) -> None:
        with suppress(StoreError):
            record(Store(job.store_root), job.unit, "failed", seconds=seconds, error=error)
