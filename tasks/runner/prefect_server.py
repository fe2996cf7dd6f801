"""Prefect made quiet, and a temporary server that never outlives the run."""

import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pav.models.errors import EngineError, InputError
from pav.tasks.runner.private_server import PrivateServer

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    # A failure is told once, by the run itself; Prefect's page keeps its own log of it.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
_DRAIN_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_VERSION = re.compile(r'"\d+\.\d+')


def quiet_prefect() -> None:
    """Set Prefect's environment, before Prefect is imported; what the user set stays."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def leave(message: str) -> None:
    """Say a message and end this process at once, with exit status 1.

    Without its server Prefect retries for minutes and writes page after page. What is published
    stays, and the workers end with this process, as after a kill.
    """
    shown_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{shown_cursor}pav: {message}\n")
    sys.stderr.flush()
    os._exit(1)


@contextmanager
def orchestrated(on_loss: Callable[[str], None] = leave) -> Iterator[str]:
    """Give the address of Prefect's API: the user's, or that of a server for this run alone.

    Prefect's own temporary server would stay behind when the run is killed. `on_loss` is called
    from another thread where the server of this run ends before its time.
    """
    quiet_prefect()
    from prefect.settings import PREFECT_API_URL

    configured = PREFECT_API_URL.value()
    if configured:
        _check_prefect(configured)
        yield configured
        return
    server = PrivateServer()
    try:
        address = server.wait_until_ready()
        server.watch(on_loss)
        _use_server(address)
        try:
            yield address
        finally:
            _send_what_is_left()
    finally:
        _use_server(None)
        server.stop()


def _check_prefect(address: str) -> None:
    """Raise EngineError where nothing answers, InputError where it is no Prefect that answers."""
    from prefect.settings import PREFECT_CLOUD_API_URL

    where = f"PREFECT_API_URL: expected a running Prefect server at {address}"
    what_to_do = (
        "start it (`prefect server start`), or unset PREFECT_API_URL for a server of the run's own"
    )
    is_cloud = address.startswith(PREFECT_CLOUD_API_URL.value())
    try:
        found = _answer(f"{address.rstrip('/')}/{'health' if is_cloud else 'admin/version'}")
    except ValueError as error:
        raise InputError(f"{where}, got {error}; {what_to_do}") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise EngineError(f"{where}, got {reason}; {what_to_do}") from None
    if found and not is_cloud and not _VERSION.match(found):
        raise InputError(f"{where}, got {found:.60}, which is no version of Prefect; {what_to_do}")


def _answer(address: str) -> str:
    """Return what an address answers; nothing where it wants to know first who asks."""
    try:
        with urllib.request.urlopen(address, timeout=_ANSWER_SECONDS) as answer:
            return str(answer.read(200).decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return "" if error.code in (401, 403) else f"status {error.code} {error.reason}"


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
