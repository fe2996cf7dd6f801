"""What of a run is still to be made, as its stages tell while they work."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pav.tasks.runner.progress import clock_text
from pav.tasks.store.store import Store


@dataclass(frozen=True)
class Outlook:
    """Part -> how many of its units are to be made, and the worker seconds of it where known."""

    missing: Mapping[str, int]
    seconds: Mapping[str, float | None]
    workers: int
    is_exact: bool

    @property
    def num_missing(self) -> int:
        """Units to make in all."""
        return sum(self.missing.values())

    @property
    def seconds_left(self) -> float | None:
        """Seconds of the whole by the clock; None where some part has no earlier unit to go by."""
        return self._clock(list(self.missing))

    def seconds_after(self, part: str) -> float | None:
        """Return the seconds of the parts after one by the clock; None where not all are known."""
        names = list(self.missing)
        return self._clock(names[names.index(part) + 1 :]) if part in names else None

    def line(self, store: Store) -> str:
        """Return what is to be made in one line: `about 101 units to make in …: …`."""
        parts = ", ".join(f"{name} {count}" for name, count in self.missing.items() if count)
        units = "unit" if self.num_missing == 1 else "units"
        about = "" if self.is_exact else "about "
        seconds = self.seconds_left
        time = f"; about {clock_text(seconds)} by what such units took before" if seconds else ""
        return f"{about}{self.num_missing} {units} to make in {store.root}: {parts}{time}"

    def _clock(self, names: Iterable[str]) -> float | None:
        total = 0.0
        for name in names:
            seconds = self.seconds[name]
            if seconds is None:
                return None
            total += seconds / min(self.workers, max(self.missing[name], 1))
        return total


_outlook: ContextVar[Outlook | None] = ContextVar("outlook", default=None)


@contextmanager
def expecting(outlook: Outlook) -> Iterator[None]:
    """Let the stages within tell how much of the run is left, by what was foreseen of it."""
    token = _outlook.set(outlook)
    try:
        yield
    finally:
        _outlook.reset(token)


def seconds_after(part: str) -> float | None:
    """Return the seconds of the run around after one of its parts; None where nobody knows."""
    outlook = _outlook.get()
    return outlook.seconds_after(part) if outlook else None
