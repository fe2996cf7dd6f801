"""Publishing: gathers what the manifests name, records runs, and builds labels.duckdb from both."""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pav.models.hashing import canonical_json
from pav.tasks.database.database import Fault, build_database, check_database
from pav.tasks.database.inputs import ROW_SCHEMAS, Sources
from pav.tasks.database.recorded_runs import read_runs
from pav.tasks.problems.prompts import prompt_rows
from pav.tasks.store.datasets import DATA_SETS
from pav.tasks.store.manifests import find, local_file, published_units, read_manifest
from pav.tasks.store.stages import is_current
from pav.tasks.store.store import Store
from pav.tasks.store.units import DataFile, Manifest

DATABASE = "labels.duckdb"

# Rollouts stay in Parquet: they are most of the bytes, and few questions need them.
_IN_PARQUET = ("rollouts",)

Row = dict[str, Any]


@dataclass(frozen=True)
class Publication:
    """Where a database was published, and what its integrity checks found wrong in it."""

    address: str
    faults: Sequence[Fault]


def publish_database(store: Store) -> Publication:
    """Build labels.duckdb from every intact manifest and recorded run, and check it.

    A database with faults is published as well: most of it answers, and the previous one may have
    the same faults. The caller must report the faults.
    """
    store.check_writable()
    sources = gather(store)
    address = store.address(DATABASE)
    if store.is_local:
        build_database(Path(address), sources)
        return Publication(address, check_database(Path(address)))
    with tempfile.TemporaryDirectory(prefix="pav-") as folder:
        path = Path(folder) / DATABASE
        build_database(path, sources)
        faults = check_database(path)
        store.write_bytes(DATABASE, path.read_bytes())
    return Publication(address, faults)


def database_fingerprint(store: Store) -> str:
    """Return the sha256 of the store's database; of a remote one, only its size in bytes."""
    if not store.is_local:
        return f"{store.size(DATABASE)} bytes"
    with Path(store.address(DATABASE)).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def gather(store: Store) -> Sources:
    """Return the Parquet files of all intact units, and the rows that units and runs make."""
    manifests = intact_manifests(store, check_content=True)
    runs = read_runs(store)
    files = {
        name: data_files(store, manifests, name) for name in DATA_SETS if name not in _IN_PARQUET
    }
    tables = {
        "units": [_unit_row(manifest) for manifest in manifests],
        "data_files": [row for manifest in manifests for row in _file_rows(manifest)],
        "costs": [row for manifest in manifests for row in _cost_rows(manifest)],
        "runs": [_run_row(run) for run in runs],
        "run_units": _run_rows(runs, "unit_ids"),
        "run_policies": _role_rows(runs),
        "policies": _policy_rows(runs),
        "verifiers": _verifier_rows(runs),
        "prompts": prompt_rows(store, manifests),
    }
    rows = {
        name: pl.DataFrame(table, schema=ROW_SCHEMAS[name], orient="row")
        for name, table in tables.items()
    }
    return Sources(files, rows, store.root, file_paths(manifests, "rollouts"))


def intact_manifests(store: Store, *, check_content: bool) -> list[Manifest]:
    """Return the manifests whose data is there, without what older revisions of stages made.

    Content is checked by sha256 where asked for and the store is local, else by size.
    """
    names = published_units(store)
    with ThreadPoolExecutor(max_workers=8) as threads:
        read = threads.map(lambda name: read_manifest(store, name), names)
        found = [manifest for manifest in read if manifest is not None]
        if check_content and store.is_local:
            checked = threads.map(lambda manifest: find(store, manifest.unit), found)
            intact = [manifest for manifest in checked if manifest is not None]
        else:
            intact = _of_right_size(store, found)
    return _current(intact)


def data_files(store: Store, manifests: Iterable[Manifest], name: str) -> list[Path]:
    """Return local Parquet files of a data set, those with rows; remote ones are downloaded."""
    files = _files(manifests, name)
    with ThreadPoolExecutor(max_workers=8) as threads:
        return list(threads.map(lambda file: local_file(store, file), files))


def file_paths(manifests: Iterable[Manifest], name: str) -> list[str]:
    """Return where the Parquet files of a data set lie in the store, those with rows."""
    return [file.path for file in _files(manifests, name)]


def _files(manifests: Iterable[Manifest], name: str) -> list[DataFile]:
    return [
        file
        for manifest in manifests
        for file in manifest.files
        if file.name == f"{name}.parquet" and file.num_rows
    ]


def _of_right_size(store: Store, manifests: Sequence[Manifest]) -> list[Manifest]:
    """Lists the store once: a request for each file would take most of the time on S3."""
    sizes = store.sizes("data")
    return [
        manifest
        for manifest in manifests
        if all(sizes.get(file.path) == file.num_bytes for file in manifest.files)
    ]


def _current(manifests: Sequence[Manifest]) -> list[Manifest]:
    return [
        manifest
        for manifest in manifests
        if is_current(manifest.unit.stage, manifest.unit.revision)
    ]


def _unit_row(manifest: Manifest) -> Row:
    unit = manifest.unit
    inputs = {role: ref.unit_id for role, ref in unit.inputs.items()}
    return {
        "unit_id": unit.unit_id,
        "stage": unit.stage,
        "name": unit.name,
        "revision": unit.revision,
        "parameters": canonical_json(dict(unit.parameters)),
        "inputs": canonical_json(inputs),
        "num_files": len(manifest.files),
        "num_rows": sum(file.num_rows for file in manifest.files),
        "num_bytes": sum(file.num_bytes for file in manifest.files),
        "versions": canonical_json(dict(manifest.versions)),
        "schema_version": manifest.schema_version,
        "created_at": _utc(manifest.created_at),
    }


def _file_rows(manifest: Manifest) -> list[Row]:
    return [{"unit_id": manifest.unit.unit_id} | asdict(file) for file in manifest.files]


def _cost_rows(manifest: Manifest) -> list[Row]:
    unit = manifest.unit
    return [
        {"unit_id": unit.unit_id, "stage": unit.stage, "item": item, "amount": float(amount)}
        for item, amount in manifest.cost.items()
    ]


def _run_row(run: Row) -> Row:
    return {
        "run_id": run["run_id"],
        "recorded_at": _utc(run["at"]),
        "settings": canonical_json(run["settings"]),
    }


def _run_rows(runs: Iterable[Row], key: str) -> list[Row]:
    return [{"run_id": run["run_id"], "unit_id": unit_id} for run in runs for unit_id in run[key]]


def _role_rows(runs: Iterable[Row]) -> list[Row]:
    return [
        {"run_id": run["run_id"], "name": policy["name"], "policy_id": policy["policy_id"]}
        for run in runs
        for policy in run["policies"]
    ]


def _policy_rows(runs: Iterable[Row]) -> list[Row]:
    """One row a policy as the newest run has it; `base` is the name of one with two roles."""
    rows: dict[str, Row] = {}
    for run in runs:
        for policy in sorted(run["policies"], key=lambda policy: policy["name"] == "base"):
            rows[policy["policy_id"]] = _with_details("policies", policy)
    return list(rows.values())


def _verifier_rows(runs: Iterable[Row]) -> list[Row]:
    rows: dict[str, Row] = {}
    for run in runs:
        for verifier in run["verifiers"]:
            named = {"verifier_id": f"{verifier.get('unit_id', '')}/{verifier['name']}"}
            row = _with_details("verifiers", named | verifier)
            rows[row["verifier_id"]] = row
    return list(rows.values())


def _with_details(table: str, row: Mapping[str, Any]) -> Row:
    """Return a row of the table; keys that are no column of it go into `details` as JSON."""
    columns = ROW_SCHEMAS[table].keys() - {"details"}
    details = {key: value for key, value in row.items() if key not in columns}
    return {column: row.get(column) for column in columns} | {"details": canonical_json(details)}


def _utc(text: str) -> datetime:
    """Return a moment in UTC without its zone, as DuckDB's shell shows it best."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
