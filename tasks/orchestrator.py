"""Prefect made quiet, and a temporary server that never outlives the run."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from pav.models.errors import EngineError

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    # A failure is told once, by the run itself; Prefect's page keeps its own log of it.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
_STARTUP_SECONDS = 120.0
_DRAIN_SECONDS = 5.0
_ANSWER_SECONDS = 5.0


def quiet_prefect() -> None:
    """Set Prefect's environment, before Prefect is imported; what the user set stays."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def orchestrated() -> Iterator[str]:
    """Give the address of Prefect's API: the user's, or that of a server for this run alone.

    Prefect's own temporary server would stay behind when the run is killed.
    """
    quiet_prefect()
    from prefect.settings import PREFECT_API_URL

    configured = PREFECT_API_URL.value()
    if configured:
        _check_reachable(configured)
        yield configured
        return
    server = _start_server()
    try:
        address = _wait_until_ready(server)
        _use_server(address)
        try:
            yield address
        finally:
            _send_what_is_left()
    finally:
        _use_server(None)
        _stop(server)


def _check_reachable(address: str) -> None:
    """Raise EngineError where nothing answers; any answer will do, what it says is Prefect's."""
    try:
        urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=_ANSWER_SECONDS).close()
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise EngineError(
            f"PREFECT_API_URL: expected a running Prefect server at {address}, got {reason}; start "
            "it (`prefect server start`), or unset PREFECT_API_URL for a server of the run's own"
        ) from error


def _use_server(address: str | None) -> None:
    """Point every thread of this process to a server; Prefect's threads copy no context."""
    from prefect.context import refresh_global_settings_context

    os.environ.pop("PREFECT_API_URL", None)
    if address is not None:
        os.environ["PREFECT_API_URL"] = address
    refresh_global_settings_context()


def _send_what_is_left() -> None:
    """Send Prefect's queued events and logs while its server still listens."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for service in (EventsWorker, APILogWorker):
        service.drain_all(timeout=_DRAIN_SECONDS)


def _start_server() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "pav.tasks.temporary_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def _wait_until_ready(server: "subprocess.Popen[bytes]") -> str:
    """Return the server's address once it answers."""
    if server.stdout is None:
        raise EngineError("the temporary Prefect server has no pipe")
    port = server.stdout.readline().decode().strip()
    address = f"http://127.0.0.1:{port}/api"
    deadline = time.monotonic() + _STARTUP_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if port and _answers(f"{address}/health"):
            return address
        time.sleep(0.1)
    raise EngineError(
        f"the temporary Prefect server did not start (exit status {server.poll()}); set "
        "PREFECT_API_URL to a running server, or look at PREFECT_HOME"
    )


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server in order, so that the last states are in its database."""
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for pipe in (server.stdin, server.stdout):
        if pipe is not None:
            pipe.close()
