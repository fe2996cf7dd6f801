"""Questions to labels.duckdb: saved by name or written in SQL, and their answers as text."""

import difflib
import io
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from pav import sql
from pav.models.errors import InputError
from pav.tasks.database.database import Fault, StoreFiles, check_database, run_query
from pav.tasks.database.publishing import DATABASE
from pav.tasks.database.tables import as_table
from pav.tasks.store.manifests import local_file
from pav.tasks.store.store import MissingFileError, Store
from pav.tasks.store.units import DataFile

Format = Literal["table", "csv", "json", "jsonl", "parquet"]

_NAME = re.compile(r"\s*[A-Za-z_]\w*\s*")
_ROLLOUT_FILES = (
    "select name, path, sha256, num_bytes, num_rows from data_files "
    "where name = 'rollouts.parquet' and num_rows > 0 order by path"
)


def ask(
    store: Store, question: str, *, parameters: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """Return the answer of a saved query's name or an SQL select; nothing can be written."""
    path = database_path(store)
    query = saved_query(question.strip()) if _NAME.fullmatch(question) else question
    return run_query(path, query, parameters=parameters, files=_files(store, path, query))


def _files(store: Store, path: Path, query: str) -> StoreFiles:
    """Return what the view `rollouts` reads: the store's folder, or copies of remote files."""
    if store.is_local:
        return StoreFiles(folder=store.root)
    if not re.search(r"\brollouts\b", query):
        return StoreFiles()
    files = [DataFile(**row) for row in run_query(path, _ROLLOUT_FILES).to_dicts()]
    with ThreadPoolExecutor(max_workers=8) as threads:
        copies = threads.map(lambda file: str(local_file(store, file)), files)
        return StoreFiles(paths=list(copies))


def saved_query(name: str) -> str:
    """Return the text of a saved query; InputError lists the names where there is none."""
    names = sql.names("queries")
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise InputError(
            f"saved query {name!r}: {hint}expected one of {', '.join(names)}, or SQL such as "
            "'select * from labels limit 5'"
        )
    return sql.read(f"queries/{name}")


def saved_queries() -> dict[str, str]:
    """Return name -> what a row of it is, for every saved query."""
    return {name: grain(sql.read(f"queries/{name}")) for name in sql.names("queries")}


def grain(text: str) -> str:
    """Return the first comment of a query, which says what a row is."""
    return text.partition("\n")[0].removeprefix("--").strip()


def database_path(store: Store) -> Path:
    """Return a local file of the store's database; InputError where there is none yet."""
    try:
        path = store.local_path(DATABASE)
    except MissingFileError:
        path = None
    if path is None or not path.is_file():
        raise InputError(
            f"{store.address(DATABASE)}: no database yet; `pav run --store {store.root}` makes "
            "everything, `pav label` the labels"
        )
    return path


def check_store(store: Store) -> list[Fault]:
    """Return what is wrong with the store's database; nothing if it is whole."""
    return check_database(database_path(store))


def render(frame: pl.DataFrame, kind: str, *, width: int | None = None) -> bytes:
    """Return rows as a table for people of that width, or as csv, json, jsonl or parquet."""
    if kind == "table":
        return as_table(frame, width=width).encode()
    if kind == "csv":
        return _flat(frame).write_csv().encode()
    if kind == "json":
        return (frame.write_json() + "\n").encode()
    if kind == "jsonl":
        return frame.write_ndjson().encode()
    if kind == "parquet":
        sink = io.BytesIO()
        frame.write_parquet(sink)
        return sink.getvalue()
    raise InputError(f"format: expected one of {', '.join(get_args(Format))}, got {kind!r}")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with lists and structs as JSON text, which CSV can hold."""
    nested = [column for column in frame if column.dtype.is_nested()]
    return frame.with_columns(
        pl.Series(column.name, [_json(value) for value in column.to_list()], dtype=pl.String)
        for column in nested
    )


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)
