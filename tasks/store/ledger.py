"""The ledger: one small file per event of a unit's execution, appended and never changed."""

import os
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Literal, TypedDict, cast

from pav.models.hashing import canonical_json, parse_json
from pav.tasks.store.store import MissingFileError, Store
from pav.tasks.store.units import Unit


class Execution(TypedDict):
    """One event: a unit was started, finished or failed by a process."""

    event: str
    unit_id: str
    stage: str
    name: str
    host: str
    pid: int
    at: str
    seconds: float
    error: str


def record(
    store: Store,
    unit: Unit,
    event: Literal["started", "finished", "failed"],
    *,
    seconds: float = 0.0,
    error: str = "",
) -> None:
    """Append one event to the ledger; seconds are those of the execution so far."""
    now = datetime.now(UTC)
    entry = Execution(
        event=event,
        unit_id=unit.unit_id,
        stage=unit.stage,
        name=unit.name,
        host=socket.gethostname(),
        pid=os.getpid(),
        at=now.isoformat(),
        seconds=round(seconds, 3),
        error=error,
    )
    name = f"{now:%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4().hex[:12]}.json"
    data = (canonical_json(entry) + "\n").encode()
    store.write_bytes(f"ledger/{unit.unit_id}/{name}", data)


def executions(store: Store) -> list[Execution]:
    """Return every event of the ledger, in order of time; unreadable entries are left out."""
    with ThreadPoolExecutor(max_workers=8) as threads:
        entries = threads.map(lambda path: _read(store, path), store.list("ledger"))
        return sorted((entry for entry in entries if entry), key=lambda entry: entry["at"])


def _read(store: Store, path: str) -> Execution | None:
    try:
        entry = parse_json(store.read_bytes(path))
    except (MissingFileError, ValueError):
        return None
    kinds = Execution.__annotations__.items()
    is_event = isinstance(entry, dict) and all(isinstance(entry.get(key), of) for key, of in kinds)
    return cast(Execution, entry) if is_event else None
