"""Publishing and finding what units made: data first, then the manifest, which is the commit."""

import importlib.metadata
import io
import platform
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import polars as pl

from pav.models.errors import StoreError
from pav.models.hashing import digest
from pav.tasks.store.contents import file_content, is_intact, sha256_of
from pav.tasks.store.datasets import DATA_SETS, PolarsType
from pav.tasks.store.local_files import cache_folder, write_atomically
from pav.tasks.store.manifest_records import (
    SCHEMA_VERSION,
    OtherVersionError,
    check_files,
    from_json,
    to_json,
)
from pav.tasks.store.partials import drop_partial
from pav.tasks.store.store import MissingFileError, Store
from pav.tasks.store.units import DataFile, Manifest, Outcome, Output, Unit


def manifest_path(unit_id: str) -> str:
    """Return where a unit's manifest lies within the store."""
    return f"manifests/{unit_id}.json"


def publish(store: Store, unit: Unit, outcome: Outcome) -> Manifest:
    """Write a unit's data, then its manifest, and return it; a good earlier one is kept."""
    check_files(unit.stage, outcome.outputs)
    for output in outcome.outputs:
        _check_table(output)
    # Units that were planned on an earlier, equally good result must keep finding it.
    earlier = find(store, unit)
    if earlier is not None:
        drop_partial(store, unit)
        return earlier
    hashes = [[output.name, sha256_of(output.data)] for output in outcome.outputs]
    folder = f"data/{unit.stage}/{unit.unit_id}-{digest(hashes, length=12)}"
    files = []
    for output, (_, sha256) in zip(outcome.outputs, hashes, strict=True):
        path = f"{folder}/{output.name}"
        store.write_bytes(path, output.data)
        size = len(output.data)
        files.append(DataFile(output.name, path, sha256, size, output.num_rows))
    versions = _versions() | dict(outcome.made_with)
    manifest = Manifest(unit, tuple(files), outcome.cost, versions, SCHEMA_VERSION, _now())
    data = to_json(manifest)
    store.write_bytes(manifest_path(unit.unit_id), data)
    drop_partial(store, unit)
    # What a later run will read: JSON knows no tuples.
    return from_json(data)


def find(store: Store, unit: Unit) -> Manifest | None:
    """Return a unit's manifest; None where it or any of its data is missing or damaged."""
    manifest = read_manifest(store, unit.unit_id)
    if manifest is None or not is_intact(store, manifest):
        return None
    return manifest


def find_many(store: Store, units: Iterable[Unit]) -> dict[str, Manifest]:
    """Return unit_id -> manifest of those units that are done."""
    wanted = list({unit.unit_id: unit for unit in units}.values())
    if not wanted:
        return {}
    present = set(published_units(store))
    likely = [unit for unit in wanted if unit.unit_id in present]
    with ThreadPoolExecutor(max_workers=8) as threads:
        found = list(threads.map(lambda unit: find(store, unit), likely))
    return {manifest.unit.unit_id: manifest for manifest in found if manifest is not None}


def read_manifest(store: Store, unit_id: str) -> Manifest | None:
    """Return the manifest of a unit id without looking at its data; None if it is garbled."""
    try:
        manifest = from_json(store.read_bytes(manifest_path(unit_id)))
    except (MissingFileError, ValueError):
        return None
    except OtherVersionError as error:
        raise StoreError(f"{store.address(manifest_path(unit_id))}: {error}") from None
    return manifest if manifest.unit.unit_id == unit_id else None


def published_units(store: Store) -> list[str]:
    """Return the unit ids that have a manifest; folders beside the manifests are no part of it."""
    paths = map(PurePosixPath, store.sizes("manifests"))
    return [path.stem for path in paths if len(path.parts) == 2 and path.suffix == ".json"]


def required_manifest(store: Store, unit_id: str) -> Manifest:
    """Return the manifest of a unit that must be done; StoreError where it is not."""
    manifest = read_manifest(store, unit_id)
    if manifest is None:
        raise StoreError(
            f"{store.address(manifest_path(unit_id))}: expected a manifest, found none; "
            "run the same command again to remake it"
        )
    return manifest


def data_file(manifest: Manifest, name: str) -> DataFile:
    """Return the entry of a unit's file by its name within the unit."""
    for file in manifest.files:
        if file.name == name:
            return file
    names = [file.name for file in manifest.files]
    raise StoreError(f"unit {manifest.unit.unit_id}: no file {name!r}, it holds {names}")


def read_table(
    store: Store, manifest: Manifest, name: str, *, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the data set `name` of a unit, or some of its columns; StoreError if off schema."""
    file = data_file(manifest, f"{name}.parquet")
    try:
        data = io.BytesIO(file_content(store, file))
        table = pl.read_parquet(data, columns=None if columns is None else list(columns))
    except pl.exceptions.PolarsError as error:
        raise StoreError(
            f"{store.address(file.path)}: expected the Parquet of {name!r}, got {error}; "
            "run the same command again to remake it"
        ) from error
    expected = _columns(name, columns)
    if dict(table.schema) != dict(pl.Schema(expected)):
        raise StoreError(
            f"{store.address(file.path)}: expected columns {expected}, got {table.schema}"
        )
    return table


def holding(manifests: Iterable[Manifest], name: str) -> list[Manifest]:
    """Return the manifests whose units have the data set `name`."""
    return [
        each for each in manifests if any(file.name == f"{name}.parquet" for file in each.files)
    ]


def read_tables(
    store: Store, manifests: Iterable[Manifest], name: str, *, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return the data set `name` of several units as one table, in the order given."""
    tables = [read_table(store, manifest, name, columns=columns) for manifest in manifests]
    if tables:
        return pl.concat(tables)
    return pl.DataFrame(schema=_columns(name, columns))


def local_file(store: Store, file: DataFile) -> Path:
    """Return a local file of a published file's content; downloaded once where remote."""
    if store.is_local:
        return Path(store.address(file.path))
    target = cache_folder() / "files" / file.sha256 / PurePosixPath(file.path).name
    if not target.exists() or target.stat().st_size != file.num_bytes:
        write_atomically(target, file_content(store, file))
    return target


def checkpoint_folder(store: Store, manifest: Manifest, name: str) -> Path:
    """Return a local folder holding the unit's files `name/...`; downloaded once where remote."""
    files = [file for file in manifest.files if file.name.startswith(f"{name}/")]
    if not files:
        data_file(manifest, f"{name}/")
    if store.is_local:
        root = store.address(files[0].path).removesuffix(files[0].name)
        return Path(root) / name
    folder = cache_folder() / "units" / f"{manifest.unit.unit_id}-{manifest.ref.content}"
    for file in files:
        target = folder / file.name
        if not target.exists() or target.stat().st_size != file.num_bytes:
            write_atomically(target, file_content(store, file))
    return folder / name


def _columns(name: str, columns: Sequence[str] | None) -> dict[str, PolarsType]:
    """Return the types of all columns of a data set, or of some."""
    types = DATA_SETS[name].columns
    return {column: types[column] for column in (columns or types)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("pav", "torch", "transformers", "polars"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _check_table(output: Output) -> None:
    """Raise StoreError where an output named like a data set is not that data set."""
    name = output.name.removesuffix(".parquet")
    if name == output.name or name not in DATA_SETS:
        return
    schema = pl.read_parquet_schema(io.BytesIO(output.data))
    expected = DATA_SETS[name].columns
    if dict(schema) != dict(pl.Schema(expected)):
        raise StoreError(f"data set {name}: expected columns {dict(expected)}, got {schema}")
