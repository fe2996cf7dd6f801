"""labels.duckdb: built whole from Parquet under a temporary name, then only read."""

import io
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pav import sql
from pav.models.errors import InputError, StoreError, WorkError
from pav.tasks.datasets import SCHEMAS

# Raise when a table or view changes; a database of another version is refused when read.
DATABASE_VERSION = 4
# No build takes as long.
_ABANDONED_SECONDS = 3600.0

# Where Python has no main file, as in a child process, DuckDB draws a bar over the answer.
_QUIET = "set enable_progress_bar = false"
_KINDS = {"schema": "table", "views": "view"}

# The small tables that are given as rows; every other one is read from the units' Parquet.
ROW_SCHEMAS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    "policies": {
        "policy_id": pl.String, "name": pl.String, "checkpoint": pl.String,
        "parent_policy_id": pl.String, "round": pl.Int32, "unit_id": pl.String,
        "details": pl.String,
    },
    "verifiers": {
        "verifier_id": pl.String, "name": pl.String, "pipeline_seed": pl.Int32,
        "kind": pl.String, "policy_id": pl.String, "checkpoint": pl.String,
        "unit_id": pl.String, "details": pl.String,
    },
    "units": {
        "unit_id": pl.String, "stage": pl.String, "name": pl.String, "revision": pl.Int32,
        "parameters": pl.String, "inputs": pl.String, "num_files": pl.Int32,
        "num_rows": pl.Int64, "num_bytes": pl.Int64, "versions": pl.String,
        "schema_version": pl.Int32, "created_at": pl.Datetime("us"),
    },
    "data_files": {
        "unit_id": pl.String, "name": pl.String, "path": pl.String, "sha256": pl.String,
        "num_rows": pl.Int64, "num_bytes": pl.Int64,
    },
    "costs": {
        "unit_id": pl.String, "stage": pl.String, "item": pl.String, "amount": pl.Float64,
    },
    "runs": {"run_id": pl.String, "recorded_at": pl.Datetime("us"), "settings": pl.String},
    "run_units": {"run_id": pl.String, "unit_id": pl.String},
    "run_policies": {"run_id": pl.String, "name": pl.String, "policy_id": pl.String},
}  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """What a database is built from: Parquet files by data set, and rows of the small tables."""

    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    rows: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a database: the check that found it, the row, what is wrong."""

    check: str
    subject: str
    detail: str

    @property
    def text(self) -> str:
        """The fault in one line."""
        return f"{self.check}: {self.subject}: {self.detail}"


@dataclass(frozen=True)
class _Stream:
    """A relation's rows for Polars, which caches by type: DuckDB's own would leak at exit."""

    relation: Any

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.relation.__arrow_c_stream__(requested_schema)


def build_database(path: Path, sources: Sources) -> None:
    """Build the database under a temporary name and put it at `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    with tempfile.TemporaryDirectory(prefix=".labels-", suffix=".tmp", dir=path.parent) as folder:
        temporary = Path(folder) / "labels.duckdb"
        try:
            parameters = _parameters(sources, Path(folder))
            with duckdb.connect(str(temporary)) as connection:
                connection.execute(_QUIET).fetchall()
                connection.begin()
                _build(connection, parameters)
                connection.commit()
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except (OSError, duckdb.Error) as error:
            kind = StoreError if isinstance(error, OSError) else WorkError
            raise kind(
                f"{path}: the database could not be built: {error}. The one before it is kept; "
                "the same command tries again"
            ) from error


def _sweep(folder: Path) -> None:
    """Remove what builds left behind that were killed; a younger folder may be in use."""
    for left in folder.glob(".labels-*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(left)


def run_query(
    path: Path,
    query: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    rollouts: Sequence[Path] = (),
) -> pl.DataFrame:
    """Return the rows of one SELECT on the database at `path`, read only.

    `rollouts` are Parquet files that the query sees as the view `rollouts`.
    """
    with _reading(path) as connection:
        try:
            if rollouts:
                files = [str(file) for file in rollouts]
                connection.read_parquet(files, union_by_name=True).create_view("rollouts")
            return _select(connection, query, parameters)
        except duckdb.Error as error:
            raise InputError(f"SQL: {_first_line(error)}") from error


def check_database(path: Path) -> list[Fault]:
    """Return what is wrong with the database at `path`; nothing if it is whole."""
    try:
        with _reading(path) as connection:
            return [
                Fault(name, str(subject), detail)
                for name in sql.names("checks")
                for subject, detail in _select(connection, sql.read(f"checks/{name}"), None).rows()
            ]
    except duckdb.Error as error:
        raise WorkError(
            f"{path}: the check could not read the database: {_first_line(error)}; remove it, "
            "then the `pav run` that made it builds it again from what is done"
        ) from error


def _parameters(sources: Sources, folder: Path) -> dict[str, Any]:
    """Return the values of the schema's `$names`: lists of Parquet files, version and time."""
    runs = sources.rows.get("runs")
    last = None if runs is None else runs.sort("recorded_at", "run_id").get_column("run_id").last()
    files: dict[str, Any] = {"version": DATABASE_VERSION, "last_run": last}
    files["built_at"] = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for name, schema in SCHEMAS.items():
        # An empty file gives every column its type, and a list with no file is an error.
        empty = _write(folder / f"{name}.parquet", pl.DataFrame(schema=schema))
        files[name] = [empty, *map(str, sources.files.get(name, ()))]
    for name, schema in ROW_SCHEMAS.items():
        rows = sources.rows.get(name, pl.DataFrame(schema=schema))
        files[name] = [_write(folder / f"{name}.parquet", rows.select(list(schema)))]
    return files


def _write(path: Path, table: pl.DataFrame) -> str:
    """Write by way of memory, since Polars hides which OSError a full disk raises."""
    sink = io.BytesIO()
    table.write_parquet(sink)
    path.write_bytes(sink.getvalue())
    return str(path)


def _build(connection: Any, parameters: Mapping[str, Any]) -> None:
    for path in sql.build_order():
        text = sql.read(path)
        used = {key: parameters[key] for key in re.findall(r"\$(\w+)", text)}
        connection.execute(text, used).fetchall()
        folder, _, name = path.partition("/")
        kind = _macro_kind(text) if folder == "macros" else _KINDS[folder]
        grain = text.partition("\n")[0].removeprefix("-- ").replace("'", "''")
        connection.execute(f"comment on {kind} {name} is '{grain}'").fetchall()


def _macro_kind(text: str) -> str:
    return "macro table" if ") as table" in text else "macro"


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    """Open the database at `path` attached read-only; InputError where it cannot be queried."""
    if not path.is_file():
        raise InputError(f"{path}: no database yet; `pav run` makes it")
    # DuckDB shares one instance a file and process, so a plain connect could see a replaced file.
    with duckdb.connect() as connection:
        try:
            connection.execute(_QUIET).fetchall()
            connection.execute("attach $path as labels_db (read_only)", {"path": str(path)})
            found = connection.execute("select version from labels_db.schema_version").fetchall()
        except duckdb.Error as error:
            raise InputError(
                f"{path}: expected a database made by pav, got {_first_line(error)}; "
                "remove it, then the `pav run` that made it builds it again from what is done"
            ) from error
        _check_version(path, found[0][0] if found else None)
        yield connection


def _select(connection: Any, query: str, parameters: Mapping[str, Any] | None) -> pl.DataFrame:
    connection.execute("set search_path = 'labels_db.main,memory.main'").fetchall()
    _check_select(connection, query)
    relation = connection.sql(query, params=dict(parameters) if parameters else None)
    return _plain(pl.DataFrame(_Stream(relation)))


def _check_version(path: Path, version: int | None) -> None:
    if version is not None and version > DATABASE_VERSION:
        raise InputError(
            f"{path}: schema version {version} is from a newer pav, this one reads "
            f"{DATABASE_VERSION}; use that pav"
        )
    if version != DATABASE_VERSION:
        raise InputError(
            f"{path}: schema version {version} is from an older pav, this one reads "
            f"{DATABASE_VERSION}; the `pav run` that made it builds it again from what is done"
        )


def _check_select(connection: Any, query: str) -> None:
    """Raise InputError unless the text is one SELECT, since `explain analyze copy` writes."""
    kinds = [statement.type.name for statement in connection.extract_statements(query)]
    if kinds != ["SELECT"]:
        raise InputError(
            f"SQL: expected one select statement (also `with`, `from`, `describe`, `summarize`, "
            f"`show tables`), got {', '.join(kinds).lower() or 'nothing'}; the database is read "
            "only, `copy` and the like work in the bare shell on a copy of it"
        )


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with DuckDB's sums of integers as Int64 where they fit."""
    wide = [
        name
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Decimal) and dtype.scale == 0
    ]
    return frame.with_columns(pl.col(wide).cast(pl.Int64))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
