"""labels.duckdb: built whole from Parquet under a temporary name, then only read."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pav import sql
from pav.models.errors import InputError, StoreError, WorkError
from pav.tasks.database.answers import check_select, fetch, interruptible
from pav.tasks.database.inputs import Sources, build_parameters
from pav.tasks.database.schema import build_schema, rollout_list

# Raise when a table or view changes; a database of another version is refused when read.
DATABASE_VERSION = 8
# What DuckDB 1.4, which has long-term support, and everything after it can open.
STORAGE_VERSION = "v1.4.0"
# No build takes as long.
_ABANDONED_SECONDS = 3600.0

# In a process without a main file, such as a child process, DuckDB draws a bar over the answer.
_QUIET = "set enable_progress_bar = false"
_LOCKED = re.compile(r"Could not set lock on file.*\(PID (\d+)\)", re.DOTALL)
# What DuckDB raises where the file is at fault and not the query.
_DAMAGED = (duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
_DAMAGED_WORDS = re.compile(r"(IO Error: )?Corrupt database|IO Error: .*labels\.duckdb", re.DOTALL)
_CLOSING = (
    "autoinstall_known_extensions = false", "autoload_known_extensions = false",
    "enable_external_access = false", "lock_configuration = true",
)  # fmt: skip
_REBUILT = "the `pav run` that made it builds it again from what is done"


@dataclass(frozen=True)
class StoreFiles:
    """What a query may read beside the database: a store's folder, or copies of its rollouts."""

    folder: str = ""
    paths: Sequence[str] = ()


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


def build_database(path: Path, sources: Sources) -> None:
    """Build the database under a temporary name and put it at `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    with tempfile.TemporaryDirectory(prefix=".labels-", suffix=".tmp", dir=path.parent) as folder:
        temporary = Path(folder) / "labels.duckdb"
        try:
            parameters = build_parameters(sources, Path(folder), version=DATABASE_VERSION)
            readable = {"storage_compatibility_version": STORAGE_VERSION}
            with duckdb.connect(str(temporary), config=readable) as connection:
                connection.execute(_QUIET).fetchall()
                connection.begin()
                rollouts = rollout_list(sources.root, sources.rollout_files)
                build_schema(connection, parameters, rollouts)
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
    """Remove the folders of killed builds; a younger folder may be in use."""
    for left in folder.glob(".labels-*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(left)


def run_query(
    path: Path,
    query: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    files: StoreFiles | None = None,
) -> pl.DataFrame:
    """Return the rows of one SELECT on the database at `path`, read only.

    The query reaches no file but the database and, through the view `rollouts`, `files`.
    """
    with _reading(path) as connection:
        _close(connection, files or StoreFiles())
        with _explained(path):
            check_select(connection, query)
            return interruptible(connection, lambda: fetch(connection, query, parameters))


def check_database(path: Path) -> list[Fault]:
    """Return what is wrong with the database at `path`; nothing if it is whole."""
    with _reading(path) as connection:
        _close(connection, StoreFiles())
        try:
            return interruptible(connection, lambda: _faults(connection))
        except duckdb.Error as error:
            raise WorkError(
                f"{path}: the check could not read the database: {_first_line(error)}; {_REBUILT}"
            ) from error


def _faults(connection: Any) -> list[Fault]:
    return [
        Fault(name, str(subject), detail)
        for name in sql.names("checks")
        for subject, detail in fetch(connection, sql.read(f"checks/{name}"), None).rows()
    ]


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    """Open the database at `path` attached read-only; InputError where it cannot be queried."""
    if not path.is_file():
        raise InputError(f"{path}: no database yet; `pav run` makes it")
    with (
        _interrupts(),
        tempfile.TemporaryDirectory(prefix="pav-") as folder,
        # DuckDB shares one instance a file and process: a plain connect could see a replaced file.
        duckdb.connect(config={"temp_directory": folder}) as connection,
    ):
        try:
            connection.execute(_QUIET).fetchall()
            connection.execute("attach $path as labels_db (read_only)", {"path": str(path)})
            found = connection.execute("select version from labels_db.schema_version").fetchall()
        except duckdb.Error as error:
            raise InputError(f"{path}: {_why_closed(error)}") from error
        _check_version(path, found[0][0] if found else None)
        yield connection


@contextmanager
def _interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt for DuckDB's error about an interrupt within its own call."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise


def _why_closed(error: duckdb.Error) -> str:
    """Return why a database cannot be opened, and what to do."""
    if locked := _LOCKED.search(str(error)):
        return (
            f"open for writing in process {locked[1]}; close it there, or open it there with "
            "-readonly"
        )
    return f"expected a database made by pav, got {_first_line(error)}; {_REBUILT}"


def _close(connection: Any, files: StoreFiles) -> None:
    """Let the connection reach nothing more: neither other files nor the network or extensions."""
    execute = connection.execute
    execute("set search_path = 'labels_db.main,memory.main'").fetchall()
    if files.folder:
        execute("set variable store = $folder", {"folder": files.folder}).fetchall()
        execute("set allowed_directories = $folders", {"folders": [f"{files.folder}/"]}).fetchall()
    if files.paths:
        execute("set variable rollout_files = $paths", {"paths": list(files.paths)}).fetchall()
        execute("set allowed_paths = $paths", {"paths": list(files.paths)}).fetchall()
    for setting in _CLOSING:
        execute(f"set {setting}").fetchall()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what DuckDB raises into InputError, or into WorkError where the file is at fault."""
    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, _DAMAGED) or _DAMAGED_WORDS.match(str(error)):
            raise WorkError(f"{path}: {_first_line(error)}; {_REBUILT}") from error
        raise InputError(f"SQL: {str(error).strip()}") from error


def _check_version(path: Path, version: int | None) -> None:
    if version is not None and version > DATABASE_VERSION:
        raise InputError(
            f"{path}: schema version {version} is from a newer pav, this one reads "
            f"{DATABASE_VERSION}; use that pav"
        )
    if version != DATABASE_VERSION:
        raise InputError(
            f"{path}: schema version {version} is from an older pav, this one reads "
            f"{DATABASE_VERSION}; {_REBUILT}"
        )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
