"""A stage for tests: what a unit does is named by its parameters."""

import os
import signal
import time
from pathlib import Path

from pav.models.errors import EngineError, InputError
from pav.tasks.units import Outcome, Output


def open_worker(settings, store, device, progress):
    """Return an executor that obeys `do` of the unit's parameters."""

    def execute(unit):
        do = unit.parameters.get("do", "")
        seen = unit.parameters.get("marker", "")
        is_first_try = not (seen and Path(seen).exists())
        if seen:
            Path(seen).write_text(str(os.getpid()))
        progress("working", 1, 2)
        if do == "sleep":
            time.sleep(unit.parameters.get("seconds", 600))
        if do == "spin":
            while True:
                pass
        if do == "die_once" and is_first_try:
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "lose_engine_once" and is_first_try:
            raise EngineError("the engine gave out")
        if do == "refuse":
            raise InputError("bad input")
        if do == "bug":
            raise KeyError("oops")
        if do == "leave":
            os._exit(7)
        text = f"{unit.name} {os.environ['OMP_NUM_THREADS']} {os.getpid()}"
        return Outcome((Output("note.txt", text.encode()),), {"tokens": 3.0})

    return execute
