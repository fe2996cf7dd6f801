"""What a run tells while it works: a bar on a terminal, plain lines elsewhere, never silence."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.table import Column

LINE_SECONDS = 5.0
_BEAT_SECONDS = 1.0
_BAR_WIDTH = 20


def tell(text: str) -> None:
    """Write one line for the person who waits, beside the results on standard output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def announced(text: str, *, is_told: bool = True) -> Iterator[None]:
    """Tell what is being done, at once unless it is mostly quick, and again while it lasts.

    It is told until something else is: what is announced within, or a stage's own progress.
    """
    started = time.monotonic()
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(LINE_SECONDS):
            tell(f"{text} … {time.monotonic() - started:.0f} s")

    _hush()
    _repeating.append(done)
    if is_told:
        tell(f"{text} …")
    threading.Thread(target=repeat, daemon=True).start()
    try:
        yield
    finally:
        done.set()


# The end of each announcement that may still be repeated.
_repeating: list[threading.Event] = []


def _hush() -> None:
    while _repeating:
        _repeating.pop().set()


class StageProgress:
    """Counts a stage's units, those under way by their parts; any thread may report.

    `seconds_after` is what the stages after this one will take; None where nobody knows.
    """

    def __init__(
        self,
        stage: str,
        total: int,
        *,
        seconds_after: float | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage = stage
        self._total = total
        self._seconds_after = seconds_after
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = clock()
        self._last_line = self._started
        self._finished = 0
        self._under_way: dict[str, float] = {}
        self._note = "starting workers"
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._bar: Progress | None = None

    def __enter__(self) -> "StageProgress":
        if self._stream.isatty():
            self._bar = Progress(
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(_BAR_WIDTH),
                TaskProgressColumn(), TextColumn("{task.fields[note]}", table_column=Column(
                    ratio=1, no_wrap=True, overflow="ellipsis")),
                console=Console(file=self._stream), transient=True, expand=True,
            )  # fmt: skip
            self._bar.add_task(self._stage, total=1.0, note="")
            self._bar.start()
        _hush()
        self._show(is_due=True)
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.stop()

    def update(self, unit_name: str, message: str, *, done: float, total: float) -> None:
        """Report how far a unit under way is."""
        with self._guard:
            self._under_way[unit_name] = min(done / total, 1.0) if total > 0 else 0.0
            self._note = self._words(unit_name, message)
            self._show()

    def finish(self, unit_name: str) -> None:
        """Report that a unit is published."""
        with self._guard:
            self._under_way.pop(unit_name, None)
            self._finished += 1
            self._note = self._words(unit_name, "")
            self._show(is_due=self._finished == self._total)

    def abandon(self, unit_name: str, message: str) -> None:
        """Report that a unit failed; the message is shown at once."""
        with self._guard:
            self._under_way.pop(unit_name, None)
            self._print(message)

    def _beat(self) -> None:
        """Repeat the last line where no unit reports: workers start, or compute for long."""
        while not self._ended.wait(_BEAT_SECONDS):
            with self._guard:
                self._show()

    def _words(self, unit_name: str, message: str) -> str:
        """Return a unit's name and message, the name and the stage's name once."""
        text = message if message.startswith(unit_name) else f"{unit_name}: {message}"
        return text.removeprefix(f"{self._stage} ").removesuffix(": ")

    def _show(self, *, is_due: bool = False) -> None:
        if self._bar is not None:
            note = f"{self._counts()} | {self._note}"
            self._bar.update(self._bar.task_ids[0], completed=self._share(), note=note)
        elif is_due or self._clock() - self._last_line >= LINE_SECONDS:
            self._last_line = self._clock()
            percent = f"{100 * self._share():.0f} %"
            self._print(f"{self._stage} {percent:>5}, {self._counts()} | {self._note}")

    def _print(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            self._stream.write(line + "\n")
            self._stream.flush()

    def _share(self) -> float:
        return (self._finished + sum(self._under_way.values())) / max(self._total, 1)

    def _counts(self) -> str:
        """Return units, their rate and the time left: `12 of 48 units, 6.0 a minute, 6:00 left`."""
        units = "unit" if self._total == 1 else "units"
        return f"{self._finished} of {self._total} {units}{self._pace()}"

    def _pace(self) -> str:
        elapsed, share = self._clock() - self._started, self._share()
        if elapsed <= 0 or share <= 0:
            return ""
        left = elapsed * (1 - share) / share
        words = f", {60 * share * self._total / elapsed:.1f} a minute" if self._total > 1 else ""
        words += f", {clock_text(left)} left"
        if self._seconds_after == 0:
            return words
        words += f" of {self._stage}"
        if self._seconds_after is None:
            return words
        return f"{words}, {clock_text(left + self._seconds_after)} of the run"


def clock_text(seconds: float) -> str:
    """Return a duration such as `1:05` or `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
