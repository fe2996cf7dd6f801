"""States of long trainings, kept beside the data until their unit is published."""

import hashlib

from pav.tasks.store.store import MissingFileError, Store
from pav.tasks.store.units import Unit


def save_partial(store: Store, unit: Unit, data: bytes) -> None:
    """Keep the state of an unfinished unit; the last one saved wins."""
    store.write_bytes(_partial_path(unit), hashlib.sha256(data).digest() + data)


def load_partial(store: Store, unit: Unit) -> bytes | None:
    """Return the last saved state of an unfinished unit; None if there is none, or damaged."""
    try:
        kept = store.read_bytes(_partial_path(unit))
    except MissingFileError:
        return None
    is_intact = hashlib.sha256(kept[32:]).digest() == kept[:32]
    return kept[32:] if is_intact else None


def drop_partial(store: Store, unit: Unit) -> None:
    """Remove the saved state of a unit, if any."""
    store.remove(_partial_path(unit))


def _partial_path(unit: Unit) -> str:
    return f"partial/{unit.unit_id}.state"
