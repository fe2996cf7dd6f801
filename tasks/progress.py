"""Progress of a stage: a bar with rate and time left on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

LINE_SECONDS = 5.0


class StageProgress:
    """Counts a stage's units, those under way by their parts; any thread may report."""

    def __init__(
        self,
        stage: str,
        total: int,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage = stage
        self._total = total
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = clock()
        self._last_line = self._started
        self._finished = 0
        self._under_way: dict[str, float] = {}
        self._guard = threading.Lock()
        self._bar: Progress | None = None

    def __enter__(self) -> "StageProgress":
        if self._stream.isatty():
            self._bar = Progress(
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
                TaskProgressColumn(), TextColumn("{task.fields[note]}"),
                console=Console(file=self._stream), transient=True,
            )  # fmt: skip
            self._bar.add_task(self._stage, total=1.0, note="")
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, unit_name: str, message: str, *, done: float, total: float) -> None:
        """Report how far a unit under way is."""
        with self._guard:
            self._under_way[unit_name] = min(done / total, 1.0) if total > 0 else 0.0
            self._show(f"{unit_name}: {message}" if message else unit_name)

    def finish(self, unit_name: str) -> None:
        """Report that a unit is published."""
        with self._guard:
            self._under_way.pop(unit_name, None)
            self._finished += 1
            self._show(unit_name, is_last=self._finished == self._total)

    def abandon(self, unit_name: str, message: str) -> None:
        """Report that a unit failed; the message is shown at once."""
        with self._guard:
            self._under_way.pop(unit_name, None)
            self._print(message)

    def _show(self, note: str, *, is_last: bool = False) -> None:
        if self._bar is not None:
            note = f"{self._finished}/{self._total} {self._pace()} {note}"
            self._bar.update(self._bar.task_ids[0], completed=self._share(), note=note)
        elif is_last or self._clock() - self._last_line >= LINE_SECONDS:
            self._last_line = self._clock()
            percent = f"{100 * self._share():.0f} %"
            counts = f"{self._finished}/{self._total} units"
            self._print(f"{self._stage} {percent:>5} {counts} {self._pace()} | {note}")

    def _print(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            self._stream.write(line + "\n")
            self._stream.flush()

    def _share(self) -> float:
        return (self._finished + sum(self._under_way.values())) / max(self._total, 1)

    def _pace(self) -> str:
        """Return units per minute and the time left, e.g. `12.0 units/min, 1:05 left`."""
        elapsed = self._clock() - self._started
        share = self._share()
        if elapsed <= 0 or share <= 0:
            return ""
        rate = 60 * share * self._total / elapsed
        left = elapsed * (1 - share) / share
        return f"{rate:.1f} units/min, {_clock_text(left)} left"


def _clock_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
