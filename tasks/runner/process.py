"""A worker process: executes units one by one, publishes them, and dies with its parent."""

import gc
import importlib
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pav.models.errors import StoreError
from pav.models.settings import RunSettings
from pav.tasks.runner.devices import resolve_device
from pav.tasks.runner.messages import Beat, Done, Failure, Job, Ready, Update, as_pav_error
from pav.tasks.runner.parent import Parent
from pav.tasks.store.ledger import record
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Unit

_UPDATE_SECONDS = 0.2


class Progress:
    """Tells the parent how far a unit is, a few times a second at most."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._last_update = 0.0

    def update(self, message: str, done: float, total: float) -> None:
        """Tell the parent, unless it was told a moment ago."""
        now = time.monotonic()
        if now - self._last_update >= _UPDATE_SECONDS:
            self._last_update = now
            self._parent.send(Update(message, done, total))


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


def main(command_line: list[str]) -> int:
    """Serve jobs from the pipe until the parent closes it or dies."""
    parent = Parent(command_line)
    requested_device, index, beat_seconds, *preload = parent.arguments
    threading.Thread(target=_beat, args=(parent, float(beat_seconds)), daemon=True).start()
    try:
        device = resolve_device(requested_device, int(index))
    except (ValueError, RuntimeError, ImportError) as error:
        parent.send(Failure(as_pav_error(error), traceback.format_exc()))
        return 1
    parent.send(Ready(device))
    for name in preload:
        importlib.import_module(name)
    opened = OpenStage(device, Progress(parent).update)
    while (job := parent.receive()) is not None:
        parent.send(execute(job, opened))
    return 0


def _beat(parent: Parent, seconds: float) -> None:
    """Tell every so many seconds that this process runs.

    A thread sends these, because a unit may be in one long call. A stopped process is silent, and
    so is a call that never releases Python.
    """
    while True:
        parent.send(Beat())
        time.sleep(seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
