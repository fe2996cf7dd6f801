"""The parent of a child process, as the child sees it; `child.py` is the other side."""

import os
import queue
import resource
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any


class Parent:
    """The pipes to the process that started this one; this process ends when that one does.

    The first arguments of a child's command line are for this class; `arguments` has the others.
    """

    def __init__(self, command_line: Sequence[str]) -> None:
        requests, replies, memory_mib, *self.arguments = command_line
        if int(memory_mib):
            resource.setrlimit(resource.RLIMIT_AS, (int(memory_mib) << 20,) * 2)
        for descriptor in (int(requests), int(replies)):
            # A grandchild that held the pipes would hide the end of this process from its parent.
            os.set_inheritable(descriptor, False)
        self._requests = Connection(int(requests), writable=False)
        self._replies = Connection(int(replies), readable=False)
        self._guard = threading.Lock()
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def receive(self) -> Any:
        """Return the next message of the parent."""
        return self._inbox.get()

    def send(self, message: object) -> None:
        """Send a message, from any thread."""
        try:
            with self._guard:
                self._replies.send(message)
        except OSError:
            _end()

    def _listen(self) -> None:
        """Queue what the parent sends; when the parent is gone, so is this process.

        A thread listens, because the main thread may be in the middle of a long computation.
        """
        try:
            while True:
                self._inbox.put(self._requests.recv())
        except (EOFError, OSError):
            _end()


def _end() -> None:
    """End this process now, and with it the processes that it started in its group."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
