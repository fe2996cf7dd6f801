"""A child process: started, spoken to over pipes, ended in time, and gone when its parent is.

The child's module makes a `Parent` (`tasks/runner/parent.py`) of its command line. Messages are
pickles with their length in front, in both directions. The child leads a process group of its own:
Ctrl-C reaches the parent alone, and what a child started in its group ends with it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from typing import IO, Any

from pav.models.errors import EngineError, cut_text

_POLL_SECONDS = 0.02
# A process whose pipe closed may take that long to end; what it printed may take as long to come.
_GRACE_SECONDS = 3.0
_KEPT_BYTES = 4096


class LostError(EngineError):
    """A child process ended, or was ended, before it had answered."""


class Child:
    """A process that runs `python -m module`; `name` is what messages call it.

    `memory_mib` bounds its address space; 0 is no bound. What it prints goes to this process's
    standard error where `is_shown`; otherwise the end of it is kept for messages.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        name: str,
        environment: Mapping[str, str],
        memory_mib: int = 0,
        is_shown: bool = False,
    ) -> None:
        self.name = name
        self._guard = threading.Lock()
        self._is_killed = False
        theirs_in, self._requests = Pipe(duplex=False)
        self._replies, theirs_out = Pipe(duplex=False)
        with theirs_in, theirs_out:
            pipes = (theirs_in.fileno(), theirs_out.fileno())
            command = [sys.executable, "-m", module, *map(str, pipes), str(memory_mib), *arguments]
            try:
                self._process = subprocess.Popen(
                    command, pass_fds=pipes, env=environment, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=2 if is_shown else subprocess.PIPE,
                    stderr=None if is_shown else subprocess.STDOUT,
                )  # fmt: skip
            except OSError as error:
                raise EngineError(f"{name} could not be started: {error}") from error
        self._printed = bytearray()
        self._reader = threading.Thread(
            target=_keep_end, args=(self._process.stdout, self._printed), daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Send a message; LostError where nobody reads it any more."""
        try:
            self._requests.send(message)
        except OSError as error:
            raise self._loss() from error

    def receive(self) -> Any:
        """Return the next message, however long it takes; LostError where none can come."""
        try:
            return self._replies.recv()
        except (EOFError, OSError) as error:
            raise self._loss() from error

    def poll(self) -> int | None:
        """Return the exit status, None while the process runs; its group does not outlive it."""
        with self._guard:
            # The group ends before the process is reaped: then its id may be another group's.
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if self._process.returncode is None and os.waitid(os.P_PID, self.pid, flags):
                self._end_group()
            return self._process.returncode

    def wait(self, seconds: float) -> int | None:
        """Return the exit status, None where the process runs on after so many seconds."""
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return status

    def wait_for_end(self) -> int | None:
        """Return the exit status, however long the process runs."""
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return self.poll()

    def terminate(self) -> None:
        """Ask the process by SIGTERM to end; do not wait."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def close(self, seconds: float) -> None:
        """Give the process so many seconds to end, then end it."""
        self.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End the process and its group now, and close its pipes."""
        if self.poll() is None:
            with self._guard:
                self._is_killed = True
                if self._process.returncode is None:
                    self._end_group()
        for connection in (self._requests, self._replies):
            with suppress(OSError):
                connection.close()

    def last_line(self) -> str:
        """Return the last line that the process printed, empty where that is shown or nothing."""
        self._reader.join(_GRACE_SECONDS)
        lines = self._printed.decode(errors="replace").split("\n")
        return cut_text(next((line.strip() for line in reversed(lines) if line.strip()), ""))

    def has_news(self, seconds: float) -> bool:
        """Tell within so many seconds whether `receive` returns at once."""
        return bool(with_news([self], seconds))

    def _loss(self) -> LostError:
        """Return how the process ended, as an error."""
        status = self.wait(_GRACE_SECONDS)
        if self._is_killed:
            return LostError(f"{self.name} was ended")
        if status is None:
            return LostError(f"{self.name} closed its pipe")
        return LostError(describe_exit(status, self.name))

    def _end_group(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def with_news(children: Iterable[Child], seconds: float) -> list[Child]:
    """Return the children that sent a message or ended; wait for the first one so many seconds."""
    pipes = {child._replies: child for child in children}
    try:
        readable = wait(list(pipes), max(0.0, seconds))
    except OSError:
        # Another thread ended a child and closed its pipe.
        readable = []
    return [child for pipe, child in pipes.items() if pipe in readable or child.poll() is not None]


def _keep_end(printed: IO[bytes] | None, kept: bytearray) -> None:
    """Read what a process prints, so that it never waits for a reader, and keep the end."""
    if printed is None:
        return
    with printed:
        while text := os.read(printed.fileno(), _KEPT_BYTES):
            kept += text
            del kept[:-_KEPT_BYTES]


def describe_exit(status: int, name: str) -> str:
    """Return how a process of that name ended, in words."""
    if status < 0:
        signal_name = signal.Signals(-status).name
        cause = ", often for lack of memory" if signal_name == "SIGKILL" else ""
        return f"{name} ended with {signal_name}{cause}"
    return f"{name} ended with exit status {status}"
