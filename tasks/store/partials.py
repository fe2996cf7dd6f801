"""States of long trainings, kept beside the data until their unit is published."""

import hashlib

from pav.tasks.store.store import MissingFileError, Store
from pav.tasks.store.units import Unit

# Raised when what trainings save changes. A state of another version counts as damaged, so that
# its training begins anew rather than reads what it does not know.
VERSION = 2


def save_partial(store: Store, unit: Unit, data: bytes) -> None:
    """Keep the state of an unfinished unit; the last one saved wins."""
    store.write_bytes(_partial_path(unit), _seal(data) + data)


def load_partial(store: Store, unit: Unit) -> bytes | None:
    """Return the last saved state of an unfinished unit; None if there is none, or damaged."""
    try:
        kept = store.read_bytes(_partial_path(unit))
    except MissingFileError:
        return None
    return kept[32:] if _seal(kept[32:]) == kept[:32] else None


def drop_partial(store: Store, unit: Unit) -> None:
    """Remove the saved state of a unit, if any."""
    store.remove(_partial_path(unit))


def _seal(data: bytes) -> bytes:
    """Return 32 bytes that only a whole state of this version begins with."""
    return hashlib.sha256(b"state %d\n" % VERSION + data).digest()


def _partial_path(unit: Unit) -> str:
    return f"partial/{unit.unit_id}.state"
