"""A grading process: compares one pair of answers at a time, and is gone when it takes too long."""

import os
import queue
import resource
import signal
import sys
import threading
from multiprocessing.connection import Connection

READY = "ready"
# What arithmetic on odd input raises. Anything else ends this process, and the pool starts another.
_GAVE_OUT = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Answer pairs from the pipe until the parent closes it or dies."""
    questions = Connection(int(arguments[0]), writable=False)
    replies = Connection(int(arguments[1]), readable=False)
    limit_seconds, memory_bytes = float(arguments[2]), int(arguments[3]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    inbox: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(questions, inbox), daemon=True).start()
    # Seconds of imports, which no pair's time limit should pay for.
    from pav.tasks.grade.symbolic import same_answer

    replies.send(READY)
    while True:
        gold, answer = inbox.get()
        # The kernel ends this process even where one huge product never lets Python run a thread.
        signal.setitimer(signal.ITIMER_REAL, limit_seconds)
        try:
            reply: bool | str = same_answer(gold, answer)
        except _GAVE_OUT as error:
            reply = type(error).__name__
        signal.setitimer(signal.ITIMER_REAL, 0)
        replies.send(reply)


def _listen(questions: Connection, inbox: "queue.SimpleQueue[tuple[str, str]]") -> None:
    """Queue what the parent sends; when the parent is gone, so is this process."""
    try:
        while True:
            inbox.put(questions.recv())
    except (EOFError, OSError):
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
