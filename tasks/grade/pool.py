"""Processes that compare answers symbolically, each killed when a pair takes too long."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from pav.models.errors import WorkError
from pav.models.records import Doubt
from pav.models.settings import GradeSettings
from pav.tasks.grade.process import READY

TIMED_OUT = "grader timed out"
# The process ends itself at the limit; the parent helps where it could not.
_GRACE_SECONDS = 0.5
_START_SECONDS = 120.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two answers are the same; None where the grader gave out, and why."""

    is_same: bool | None
    reason: str = ""


class GradingProcess:
    """One child process, the pair it is working on, and when that is overdue."""

    def __init__(self, settings: GradeSettings) -> None:
        self._settings = settings
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        command = [sys.executable, "-m", "pav.tasks.grade.process", str(theirs_in)]
        limits = [str(theirs_out), str(settings.limit_seconds), str(settings.memory_mib)]
        try:
            # A session of its own: Ctrl-C reaches the parent alone, and this process ends with the
            # parent.
            self._process = subprocess.Popen(
                [*command, *limits], pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD}, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._questions = Connection(ours_out, readable=False)
        self.replies = Connection(ours_in, writable=False)
        self.is_ready = False
        self.index: int | None = None
        self.deadline = time.monotonic() + _START_SECONDS

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ask(self, index: int, doubt: Doubt) -> None:
        """Give the process a pair, the `index`-th of those wanted."""
        self.index = index
        self.deadline = time.monotonic() + self._settings.limit_seconds + _GRACE_SECONDS
        # Where the process has died, its reply pipe tells.
        with suppress(OSError):
            self._questions.send((doubt.gold, doubt.answer))

    def receive(self) -> Comparison | None:
        """Return what a readable pipe holds: a comparison, or None where it only says ready.

        WorkError where the process ended before it was ready: it cannot start at all.
        """
        try:
            reply = self.replies.recv()
        except (EOFError, OSError):
            return self._loss()
        if reply == READY:
            self.is_ready = True
            return None
        self.deadline = float("inf")
        if isinstance(reply, bool):
            return Comparison(reply)
        return Comparison(None, f"grader gave out: {reply}")

    def _loss(self) -> Comparison:
        is_overdue = time.monotonic() >= self.deadline - _GRACE_SECONDS - 0.1
        self.kill()
        if not self.is_ready:
            raise WorkError(
                f"grading process ended with exit status {self._process.returncode} before it "
                "could compare anything; is math-verify installed? `make install` does it"
            )
        return Comparison(None, TIMED_OUT if is_overdue else "grader gave out: its process died")

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()
        self._process.wait()
        for connection in (self._questions, self.replies):
            with suppress(OSError):
                connection.close()


class GradingPool:
    """Compares pairs in processes that start when first needed and stay for the next pairs."""

    def __init__(self, settings: GradeSettings) -> None:
        self._settings = settings
        self._idle: list[GradingProcess] = []
        self._busy: list[GradingProcess] = []

    @property
    def processes(self) -> list[GradingProcess]:
        """The processes that run now."""
        return [*self._idle, *self._busy]

    def compare(self, doubts: Sequence[Doubt]) -> list[Comparison]:
        """Return each pair's comparison; none takes longer than the limit, none raises."""
        results: dict[int, Comparison] = {}
        waiting = deque(range(len(doubts)))
        while len(results) < len(doubts):
            while waiting and (process := self._free(len(waiting))):
                index = waiting.popleft()
                process.ask(index, doubts[index])
            self._listen(results)
        return [results[index] for index in range(len(doubts))]

    def close(self) -> None:
        """End every process."""
        for process in self.processes:
            process.kill()
        self._idle, self._busy = [], []

    def _free(self, num_waiting: int) -> GradingProcess | None:
        """Return an idle process, and start as many as there is work and room for."""
        room = self._settings.processes - len(self.processes)
        starting = sum(not process.is_ready for process in self._busy)
        for _ in range(min(room, num_waiting - len(self._idle) - starting)):
            self._busy.append(GradingProcess(self._settings))
        if not self._idle:
            return None
        self._busy.append(self._idle.pop())
        return self._busy[-1]

    def _listen(self, results: dict[int, Comparison]) -> None:
        """Wait until a process answers or is overdue, and note what came of its pair."""
        soonest = min(process.deadline for process in self._busy)
        readable = wait(
            [process.replies for process in self._busy], max(0.0, soonest - time.monotonic())
        )
        for process in list(self._busy):
            if process.replies in readable:
                self._settle(process, process.receive(), results)
            elif time.monotonic() > process.deadline:
                process.kill()
                self._settle(process, self._overdue(process), results)

    def _overdue(self, process: GradingProcess) -> Comparison:
        if process.index is None:
            raise WorkError(f"grading process was not ready after {_START_SECONDS:g} s")
        return Comparison(None, TIMED_OUT)

    def _settle(
        self, process: GradingProcess, reply: Comparison | None, results: dict[int, Comparison]
    ) -> None:
        self._busy.remove(process)
        if reply is not None and process.index is not None:
            results[process.index] = reply
        process.index = None
        if not process.replies.closed:
            self._idle.append(process)
