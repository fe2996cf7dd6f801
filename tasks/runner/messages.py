"""Messages between a run and its worker processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pav.models.errors import EngineError, InputError, PavError, StoreError, WorkError
from pav.tasks.store.store import StoreUnreachableError
from pav.tasks.store.units import Unit

_KINDS: tuple[type[PavError], ...] = (
    StoreUnreachableError, InputError, StoreError, EngineError, WorkError,
)  # fmt: skip
_FOR_GOOD = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)


@dataclass(frozen=True)
class Job:
    """One unit to execute; `stage_module` is the dotted name of a module with `open_worker`."""

    stage_module: str
    settings_json: str
    store_root: str
    unit: Unit


@dataclass(frozen=True)
class Ready:
    """A worker has started and will use this device: `cpu` or `cuda:N`."""

    device: str


@dataclass(frozen=True)
class Beat:
    """The worker's process runs, whatever it is busy with."""


@dataclass(frozen=True)
class Update:
    """How far a unit is."""

    message: str
    done: float
    total: float


@dataclass(frozen=True)
class Done:
    """A unit is published; cost is that of its manifest."""

    unit_id: str
    seconds: float
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A unit failed; `details` is the worker's traceback."""

    error: PavError
    details: str = ""


def as_pav_error(error: BaseException) -> PavError:
    """Return the error of `pav.models.errors` for any exception, safe to send and to unpickle."""
    text = str(error) if isinstance(error, PavError) else f"{type(error).__name__}: {error}"
    for kind in _KINDS:
        if isinstance(error, kind):
            return kind(text)
    if ran_out_of_memory(error):
        return EngineError(f"out of memory ({text}); a smaller engine.batch_size needs less")
    if isinstance(error, OSError) and not isinstance(error, _FOR_GOOD):
        return EngineError(text)
    return WorkError(text)


def ran_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error, Python's or torch's, is for want of memory."""
    is_torch = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return is_torch or isinstance(error, MemoryError)
