"""The record of each run, `runs/<run>/run.json`: written, and read back only where it is whole."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from pav.models.errors import StoreError
from pav.models.hashing import canonical_json, parse_json
from pav.tasks.store.manifest_records import Moment, Record, what_is_wrong
from pav.tasks.store.store import Store

Row = dict[str, Any]
_Whole = Annotated[int, Field(ge=0, lt=1 << 31)]


class _Named(Record):
    """A policy or verifier of a run; fields without a column in the database go into `details`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)

    name: str
    checkpoint: str | None = None
    unit_id: str | None = None


class _PolicyRecord(_Named):
    policy_id: str
    parent_policy_id: str | None = None
    round: _Whole | None = None


class _VerifierRecord(_Named):
    verifier_id: str = ""
    policy_id: str | None = None
    pipeline_seed: _Whole | None = None
    kind: str | None = None


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a name twice")
    return names


class _RunRecord(Record):
    run_id: str
    # The number of earlier runs, which orders runs: a clock that was ahead must not make its run
    # the last.
    number: _Whole = 0
    at: Moment
    settings: dict[str, JsonValue]
    unit_ids: Annotated[list[str], AfterValidator(_distinct)]
    policies: list[_PolicyRecord]
    verifiers: list[_VerifierRecord]


def record_run(
    store: Store,
    run_id: str,
    *,
    settings: Mapping[str, Any],
    unit_ids: Iterable[str],
    policies: Sequence[Mapping[str, Any]] = (),
    verifiers: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Write `runs/<run_id>/run.json`, by which the database knows the run; return that path.

    Args:
        store: where the run's units are.
        run_id: name of the run; recording it again replaces it, and makes it the last one.
        settings: the run's settings as JSON.
        unit_ids: every unit the run used, made or reused.
        policies: rows with `name` (the role) and `policy_id`, and as known `checkpoint`,
            `parent_policy_id`, `round`, `unit_id`; other keys go into `details`.
        verifiers: rows with `name`, and as known `verifier_id`, `pipeline_seed`, `kind`,
            `policy_id`, `checkpoint`, `unit_id`; other keys go into `details`.
    """
    record = {
        "run_id": run_id,
        "number": 1 + max((run["number"] for run in read_runs(store)), default=0),
        "at": datetime.now(UTC).isoformat(),
        "settings": settings,
        "unit_ids": sorted(set(unit_ids)),
        "policies": [dict(row) for row in policies],
        "verifiers": [dict(row) for row in verifiers],
    }
    path = f"runs/{run_id}/run.json"
    store.write_bytes(path, (canonical_json(record) + "\n").encode())
    return path


def read_runs(store: Store) -> list[Row]:
    """Return every recorded run, the one recorded last at the end."""
    files = map(PurePosixPath, store.list("runs"))
    paths = [path for path in files if len(path.parts) == 3 and path.name == "run.json"]
    with ThreadPoolExecutor(max_workers=8) as threads:
        runs = list(threads.map(lambda path: _read(store, path), paths))
    return sorted(runs, key=lambda run: (run["number"], run["at"], run["run_id"]))


def _read(store: Store, path: PurePosixPath) -> Row:
    try:
        record = parse_json(store.read_bytes(str(path)))
        run = _RunRecord.model_validate(record)
        # Infinite numbers: JSON can hold them, a database cannot.
        canonical_json(record)
        if run.run_id != path.parent.name:
            raise ValueError(f"the run_id {run.run_id!r} in the folder {path.parent.name!r}")
    except (ValueError, RecursionError) as error:
        where = store.address(str(path))
        raise StoreError(
            f"{where}: expected the record of a run, got {what_is_wrong(error)}; remove it, the "
            "run's next execution writes it"
        ) from None
    return run.model_dump(exclude_unset=True) | {"number": run.number}
