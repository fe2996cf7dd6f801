"""A stage for tests: what a unit does is named by its parameters."""

import os
import signal
import time
from pathlib import Path

from pav.models.errors import EngineError, InputError
from pav.tasks.store.units import Outcome, Output


def open_worker(settings, store, device, progress):
    """Return an executor that obeys `do` of the unit's parameters."""

    def execute(unit):
        marker = unit.parameters.get("marker", "")
        is_first_try = not (marker and Path(marker).exists())
        if marker:
            Path(marker).write_text(str(os.getpid()))
        progress("working", 1, 2)
        _obey(unit.parameters, is_first_try)
        text = f"{unit.name} {os.environ['OMP_NUM_THREADS']} {os.getpid()}"
        return Outcome((Output("note.txt", text.encode()),), {"tokens": 3.0})

    return execute


def _obey(parameters, is_first_try):
    match parameters.get("do", ""):
        case "sleep":
            time.sleep(parameters.get("seconds", 600))
        case "sleep_once" if is_first_try:
            time.sleep(600)
        case "spin":
            end = time.monotonic() + parameters.get("seconds", 600)
            while time.monotonic() < end:
                pass
        case "die_once" if is_first_try:
            os.kill(os.getpid(), signal.SIGKILL)
        case "lose_engine_once" if is_first_try:
            raise EngineError("the engine gave out")
        case "refuse":
            raise InputError("bad input")
        case "bug":
            raise KeyError("oops")
        case "leave":
            os._exit(7)
