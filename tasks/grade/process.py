"""A grading process: compares one pair of answers at a time, and is gone when it takes too long."""

import signal
import sys

from pav.tasks.runner.parent import Parent

READY = "ready"
# What arithmetic on odd input raises. Anything else ends this process, and the pool starts another.
_GAVE_OUT = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


def main(command_line: list[str]) -> int:
    """Answer pairs from the pipe until the parent closes it or dies."""
    parent = Parent(command_line)
    limit_seconds = float(parent.arguments[0])
    # Seconds of imports, which no pair's time limit should pay for.
    from pav.tasks.grade.symbolic import same_answer

    parent.send(READY)
    while True:
        gold, answer = parent.receive()
        # The kernel ends this process even where one huge product never lets Python run a thread.
        signal.setitimer(signal.ITIMER_REAL, limit_seconds)
        try:
            reply: bool | str = same_answer(gold, answer)
        except _GAVE_OUT as error:
            reply = type(error).__name__
        signal.setitimer(signal.ITIMER_REAL, 0)
        parent.send(reply)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
