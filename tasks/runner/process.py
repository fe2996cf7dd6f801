"""A worker process: executes units one by one, publishes them, and dies with its parent."""

import gc
import importlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from pav.models.errors import StoreError
from pav.models.settings import RunSettings
from pav.tasks.runner.devices import resolve_device
from pav.tasks.runner.messages import Beat, Done, Failure, Job, Ready, Update, as_pav_error
from pav.tasks.store.ledger import record
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Unit

_UPDATE_SECONDS = 0.2


class Replies:
    """The pipe back to the parent; any thread may use it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self._last_update = 0.0

    def send(self, message: Ready | Beat | Update | Done | Failure) -> None:
        """Send a message; end this process where the parent is gone."""
        try:
            with self._guard:
                self._connection.send(message)
        except OSError:
            os._exit(1)

    def update(self, message: str, done: float, total: float) -> None:
        """Tell how far the unit is, a few times a second at most."""
        now = time.monotonic()
        if now - self._last_update >= _UPDATE_SECONDS:
            self._last_update = now
            self.send(Update(message, done, total))

    def beat(self, seconds: float) -> None:
        """Tell every so many seconds that this process runs.

        A thread sends these, because a unit may be in one long call. A stopped process is silent,
        and so is a call that never releases Python.
        """
        while True:
            self.send(Beat())
            time.sleep(seconds)


class OpenStage:
    """The open stage; its engines stay warm while stage, settings and store are the same."""

    def __init__(self, device: str, progress: Callable[[str, float, float], None]) -> None:
        self._device = device
        self._progress = progress
        self._key: tuple[str, str, str] | None = None
        self._execute: Callable[[Unit], Outcome] | None = None

    def run(self, job: Job, store: Store) -> Outcome:
        """Return what a unit made."""
        key = (job.stage_module, job.settings_json, job.store_root)
        if self._execute is None or key != self._key:
            self._open(job, store)
            self._key = key
        if self._execute is None:
            raise RuntimeError(f"{job.stage_module}.open_worker returned None")
        return self._execute(job.unit)

    def _open(self, job: Job, store: Store) -> None:
        self._execute = None
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and self._device != "cpu":
            torch.cuda.empty_cache()
        settings = RunSettings.model_validate_json(job.settings_json)
        module: Any = importlib.import_module(job.stage_module)
        self._execute = module.open_worker(settings, store, self._device, self._progress)
        # Imported modules stay: searching them for garbage took 3 % of a unit.
        gc.freeze()


def execute(job: Job, opened: OpenStage) -> Done | Failure:
    """Run a unit, publish it and write the ledger; failures come back as messages."""
    started = time.perf_counter()
    store = Store(job.store_root)
    try:
        record(store, job.unit, "started")
        outcome = opened.run(job, store)
        seconds = time.perf_counter() - started
        cost = {"seconds": seconds} | dict(outcome.cost)
        manifest = publish(store, job.unit, replace(outcome, cost=cost))
        record(store, job.unit, "finished", seconds=seconds)
        return Done(job.unit.unit_id, seconds, manifest.cost)
    # This is the boundary of the process: whatever a stage raises must reach the parent.
    except Exception as error:
        failure = Failure(as_pav_error(error), traceback.format_exc())
        with suppress(StoreError):
            spent = time.perf_counter() - started
            record(store, job.unit, "failed", seconds=spent, error=str(failure.error))
        return failure


def main(arguments: list[str]) -> int:
    """Serve jobs from the pipe until the parent closes it or dies."""
    requests = Connection(int(arguments[0]), writable=False)
    replies = Replies(Connection(int(arguments[1]), readable=False))
    inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
    threading.Thread(target=replies.beat, args=(float(arguments[4]),), daemon=True).start()
    try:
        device = resolve_device(arguments[2], int(arguments[3]))
    except (ValueError, RuntimeError, ImportError) as error:
        replies.send(Failure(as_pav_error(error), traceback.format_exc()))
        return 1
    replies.send(Ready(device))
    for name in arguments[5:]:
        importlib.import_module(name)
    opened = OpenStage(device, replies.update)
    while (job := inbox.get()) is not None:
        replies.send(execute(job, opened))
    return 0


def _listen(requests: Connection, inbox: "queue.SimpleQueue[Job | None]") -> None:
    """Queue what the parent sends; when the parent is gone, so is this process."""
    try:
        while True:
            inbox.put(requests.recv())
    except (EOFError, OSError):
        # The main thread may be in the middle of a long computation: do not wait for it.
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
