"""A Prefect server of the run's own: started, watched and ended with it."""

import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pav.models.errors import EngineError
from pav.tasks.runner.child import Child, LostError, describe_exit
from pav.tasks.store.local_files import cache_folder

_STARTUP_SECONDS = 120.0
_ANSWER_SECONDS = 5.0
_END_SECONDS = 5.0


class PrivateServer:
    """The process of a temporary Prefect server; its database is in a folder of `pav`'s own."""

    def __init__(self) -> None:
        self._is_ending = threading.Event()
        self._folder = _make_folder()
        self._child = Child(
            "pav.tasks.runner.temporary_server",
            name="the temporary Prefect server",
            environment={**os.environ, "PREFECT_HOME": str(self._folder)},
            is_shown=True,
        )

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._child.pid

    def wait_until_ready(self) -> str:
        """Return the server's address once it answers."""
        deadline = time.monotonic() + _STARTUP_SECONDS
        with suppress(LostError):
            address = f"http://127.0.0.1:{self._port()}/api"
            while self._child.poll() is None and time.monotonic() < deadline:
                if _answers(f"{address}/health"):
                    return address
                time.sleep(0.1)
        status = self._child.poll()
        how = "it does not answer" if status is None else describe_exit(status, "it")
        raise EngineError(
            f"the temporary Prefect server did not start: {how}. Remove its database "
            f"{self._folder / 'prefect.db'}, where that is damaged, or set PREFECT_API_URL to a "
            "running server"
        )

    def watch(self, on_loss: Callable[[str], None]) -> None:
        """Call `on_loss` with what to tell the user if the server ends before `stop`."""

        def wait() -> None:
            status = self._child.wait_for_end()
            if status is not None and not self._is_ending.is_set():
                on_loss(
                    f"{describe_exit(status, 'the temporary Prefect server')} in the middle of the "
                    "run. Every finished unit is kept; the same command goes on"
                )

        threading.Thread(target=wait, daemon=True).start()

    def stop(self) -> None:
        """End the server in order, so that the last states are in its database."""
        self._is_ending.set()
        self._child.terminate()
        self._child.close(_END_SECONDS)

    def _port(self) -> int:
        """Return the port that the server sends first; LostError where it sends none."""
        if not self._child.has_news(_STARTUP_SECONDS):
            raise LostError(f"{self._child.name} has no port")
        return int(self._child.receive())


def _make_folder() -> Path:
    """Return the folder of the server's database, which nobody else may look into."""
    folder = cache_folder() / "prefect"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise EngineError(
            f"{folder}: expected a folder for the database of the temporary Prefect server, got "
            f"{error}; set XDG_CACHE_HOME to a folder that can be written, or PREFECT_API_URL to a "
            "running server"
        ) from None
    return folder


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
