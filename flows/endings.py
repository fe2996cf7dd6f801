"""How a command ends: an exit status and at most a few lines, whatever happened to it."""

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from pav.models.errors import InputError, PavError

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def end_with(command: Callable[[], object], *, advice: str) -> NoReturn:
    """Do a command, then end this process: 0 done, 2 the input is wrong, 1 the work failed.

    A signal gives 128 and its number, and one word. `advice` says how to go on after a failure.
    """
    _open_streams()
    with _output() as output, _signals() as stops:
        status, message = _outcome(command, advice)
    if stops:
        # Whatever else happened, happened because of it.
        status, message = 128 + stops[0], f"pav: {_WORDS[stops[0]]}\n{advice}".rstrip()
    if output.error and not status:
        # Who stops reading (`| head`) knows it.
        is_cut = isinstance(output.error, BrokenPipeError)
        status, message = 1, "" if is_cut else f"pav: standard output: {output.error.strerror}"
    if message:
        sys.stderr.write(f"{message}\n")
    sys.exit(status)


def _outcome(command: Callable[[], object], advice: str) -> tuple[int, str]:
    """Return the exit status of a command, and what is left to say."""
    try:
        command()
    except SystemExit as left:
        return int(left.code or 0), ""
    except KeyboardInterrupt:
        return 1, ""
    except InputError as error:
        return 2, f"pav: {error}"
    except PavError as error:
        return 1, f"pav: {error}\n{advice}".rstrip()
    # The boundary of the process: nobody foresaw this one.
    except Exception:
        return 1, f"{traceback.format_exc()}{advice}".rstrip()
    return 0, ""


@contextmanager
def _signals() -> Iterator[list[signal.Signals]]:
    """Give the list of the signals that asked this process to stop; each interrupts its work."""
    stops: list[signal.Signals] = []

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        stops.append(signal.Signals(number))
        raise KeyboardInterrupt

    # Who started this process may have had it ignore Ctrl-C.
    heeded = [each for each in _WORDS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, stop) for each in heeded}
    try:
        yield stops
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _open_streams() -> None:
    """Give this process the standard streams that it was started without.

    Else the next file that is opened, one of the store's, would be what is printed to.
    """
    is_mute = sys.stdout is None
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if is_mute:
        sys.stderr.write("pav: standard output is closed; send it to a file or to /dev/null\n")
        sys.exit(1)


class _Output(io.FileIO):
    """Standard output; what cannot be written is dropped, and why is remembered."""

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write what can be written; return the size of all of it."""
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            return memoryview(data).nbytes


@contextmanager
def _output() -> Iterator[_Output]:
    """Give the raw standard output, through which everything is printed from now on."""
    raw, printed, own = _Output(1, "w", closefd=False), sys.stdout, sys.__stdout__
    # Who captures what is printed has put another stream there.
    if own is not None and printed is own:
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=own.encoding, errors=own.errors,
            line_buffering=own.line_buffering,
        )  # fmt: skip
    try:
        yield raw
        sys.stdout.flush()
    finally:
        sys.stdout = printed
