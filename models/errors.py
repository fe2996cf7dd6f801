"""The errors a caller can act on; each is picklable and also the stdlib error it stands for."""

import reprlib
from typing import Any

_MOST_SHOWN = 200
# Integers of more bits have more digits than Python writes out.
_MOST_BITS = 4 * _MOST_SHOWN


class PavError(Exception):
    """Base of every error that `pav` raises on purpose."""


class InputError(PavError, ValueError):
    """What the user gave is wrong: settings, a file, a checkpoint folder. Exit status 2."""


class StoreError(PavError, OSError):
    """The store cannot be read or written. Exit status 1, or 2 where the address is wrong."""


class EngineError(PavError, RuntimeError):
    """An engine gave out; its unfinished requests are lost and may be submitted again."""


class WorkError(PavError, RuntimeError):
    """A unit of work failed for good. Exit status 1."""


class _Shown(reprlib.Repr):
    """Writes values of a user's file, even long, deep or recursive ones."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxtuple, self.maxdict = 4, 8, 8, 8
        self.maxstring = self.maxlong = self.maxother = _MOST_SHOWN

    def repr_int(self, value: int, level: int) -> str:
        if value.bit_length() > _MOST_BITS:
            return f"a whole number of {value.bit_length():,} bits"
        return repr(value)


def shown(value: Any) -> str:
    """Return a value as messages show it: what Python writes, cut where it is long or deep."""
    return cut_text(_Shown().repr(value))


def cut_text(text: str) -> str:
    """Return a text of the user's as messages quote it, cut where it is long."""
    return text if len(text) <= _MOST_SHOWN + 3 else f"{text[:_MOST_SHOWN]}..."
