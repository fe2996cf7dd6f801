"""Processes that compare answers symbolically, each killed when a pair takes too long."""

import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pav.models.errors import WorkError
from pav.models.records import Doubt
from pav.models.settings import GradeSettings
from pav.tasks.grade.process import READY
from pav.tasks.runner.child import Child, LostError, with_news

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
        self.child = Child(
            "pav.tasks.grade.process",
            str(settings.limit_seconds),
            name="grading process",
            environment={**os.environ, **_ONE_THREAD},
            memory_mib=settings.memory_mib,
        )
        self.is_ready = False
        self.is_lost = False
        self.index: int | None = None
        self.deadline = time.monotonic() + _START_SECONDS

    @property
    def pid(self) -> int:
        """The process id."""
        return self.child.pid

    def ask(self, index: int, doubt: Doubt) -> None:
        """Give the process a pair, the `index`-th of those wanted."""
        self.index = index
        self.deadline = time.monotonic() + self._settings.limit_seconds + _GRACE_SECONDS
        # Where the process has died, `receive` tells.
        with suppress(LostError):
            self.child.send((doubt.gold, doubt.answer))

    def receive(self) -> Comparison | None:
        """Return what a readable pipe holds: a comparison, or None where it only says ready.

        WorkError where the process ended before it was ready: it cannot start at all.
        """
        try:
            reply = self.child.receive()
        except LostError as error:
            return self._loss(error)
        if reply == READY:
            self.is_ready = True
            return None
        self.deadline = float("inf")
        if isinstance(reply, bool):
            return Comparison(reply)
        return Comparison(None, f"grader gave out: {reply}")

    def _loss(self, error: LostError) -> Comparison:
        is_overdue = time.monotonic() >= self.deadline - _GRACE_SECONDS - 0.1
        self.kill()
        if not self.is_ready:
            printed = self.child.last_line()
            raise WorkError(
                f"{error} before it could compare anything; is math-verify installed? "
                f"`make install` does it{f'. It printed: {printed}' if printed else ''}"
            ) from error
        return Comparison(None, TIMED_OUT if is_overdue else "grader gave out: its process died")

    def kill(self) -> None:
        """End the process now."""
        self.is_lost = True
        self.child.kill()


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
        children = [process.child for process in self._busy]
        told = with_news(children, soonest - time.monotonic())
        for process in list(self._busy):
            if process.child in told:
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
        if not process.is_lost:
            self._idle.append(process)
