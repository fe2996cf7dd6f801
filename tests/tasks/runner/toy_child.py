"""A child process for tests: does what its parent sends, and says what came of it."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from pav.tasks.runner.parent import Parent


def main(command_line):
    parent = Parent(command_line)
    parent.send(("started", parent.arguments))
    while True:
        command, *values = parent.receive()
        COMMANDS[command](parent, *values)


def echo(parent, message):
    parent.send(message)


def say_many(parent):
    def say(word):
        for _ in range(50):
            parent.send(word * 100_000)

    threads = [threading.Thread(target=say, args=(word,)) for word in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def start_another(parent):
    # With every descriptor that may be inherited.
    parent.send(subprocess.Popen(["sleep", "600"], close_fds=False).pid)


def sleep(parent):
    time.sleep(600)


def spin(parent):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent.send("spinning")
    while True:
        pass


def stop_halfway(parent):
    # A frame of 1,000 bytes of which 10 come.
    os.write(int(sys.argv[2]), (1000).to_bytes(4, "big") + b"0123456789")
    os._exit(5)


def leave(parent, status):
    os._exit(status)


def write(parent, text):
    sys.stdout.write(text)
    sys.stdout.flush()
    parent.send("written")


def allocate(parent, num_bytes):
    outcome: int | str
    try:
        outcome = len(bytearray(num_bytes))
    except MemoryError:
        outcome = "MemoryError"
    parent.send((resource.getrlimit(resource.RLIMIT_AS)[0], outcome))


def environment(parent):
    parent.send(dict(os.environ))


COMMANDS: dict[str, Callable[..., None]] = {
    "echo": echo, "say many": say_many, "start another": start_another, "sleep": sleep,
    "spin": spin, "stop halfway": stop_halfway, "leave": leave, "write": write,
    "allocate": allocate, "environment": environment,
}  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
