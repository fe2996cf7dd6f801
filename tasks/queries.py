"""Questions to labels.duckdb: saved by name or written in SQL, and their answers as text."""

import io
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from pav import sql
from pav.models.errors import InputError
from pav.tasks import datasets
from pav.tasks.database import Fault, check_database, run_query
from pav.tasks.publishing import DATABASE, data_files, intact_manifests
from pav.tasks.store import MissingFileError, Store

Format = Literal["table", "csv", "json", "parquet"]

_NAME = re.compile(r"\s*[A-Za-z_]\w*\s*")
_MAX_TABLE_ROWS = 100


def ask(
    store: Store, question: str, *, parameters: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """Return the answer of a saved query's name or an SQL select; nothing can be written.

    SQL that mentions `rollouts` sees the raw rollouts of all intact units as a view.
    """
    path = database_path(store)
    if _NAME.fullmatch(question):
        return _ask_saved(store, path, saved_query(question.strip()), parameters)
    if not re.search(r"\brollouts\b", question):
        return run_query(path, question, parameters=parameters)
    files = rollout_files(store)
    if not files:
        raise InputError(f"rollouts: {store.root!r} holds none yet; `pav label` makes them")
    return run_query(path, question, parameters=parameters, rollouts=files)


def _ask_saved(
    store: Store, path: Path, query: str, parameters: Mapping[str, Any] | None
) -> pl.DataFrame:
    """Return the answer of a saved query, which has no rows where there are no rollouts to read."""
    if "rollouts" not in sql.used_names(query):
        return run_query(path, query, parameters=parameters)
    with tempfile.TemporaryDirectory(prefix="pav-") as folder:
        none = Path(folder) / "rollouts.parquet"
        none.write_bytes(datasets.to_parquet("rollouts", datasets.frame("rollouts", [])))
        files = [none, *rollout_files(store)]
        return run_query(path, query, parameters=parameters, rollouts=files)


def rollout_files(store: Store) -> list[Path]:
    """Return the Parquet files of all raw rollouts."""
    return data_files(store, intact_manifests(store, check_content=False), "rollouts")


def saved_query(name: str) -> str:
    """Return the text of a saved query; InputError lists the names where there is none."""
    if name not in sql.names("queries"):
        raise InputError(
            f"saved query {name!r}: expected one of {', '.join(sql.names('queries'))}, or SQL "
            "such as 'select * from labels limit 5'"
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


def render(frame: pl.DataFrame, kind: str) -> bytes:
    """Return rows as a table for people, or as csv, json or parquet; InputError for another."""
    if kind == "table":
        return _as_table(frame).encode()
    if kind == "csv":
        return _flat(frame).write_csv().encode()
    if kind == "json":
        return (frame.write_json() + "\n").encode()
    if kind == "parquet":
        sink = io.BytesIO()
        frame.write_parquet(sink)
        return sink.getvalue()
    raise InputError(f"format: expected one of {', '.join(get_args(Format))}, got {kind!r}")


def _as_table(frame: pl.DataFrame) -> str:
    """Return an aligned table; texts on one line, numbers with four decimals at most."""
    shown = frame.head(_MAX_TABLE_ROWS)
    columns = [[name, *map(_cell, shown.get_column(name).to_list())] for name in shown.columns]
    aligned = [
        _aligned(cells, is_right=dtype.is_numeric())
        for cells, dtype in zip(columns, shown.dtypes, strict=True)
    ]
    lines = ["  ".join(cells).rstrip() for cells in zip(*aligned, strict=True)]
    return "\n".join([*lines, _footer(frame)]) + "\n"


def _aligned(cells: Sequence[str], *, is_right: bool) -> list[str]:
    """Return the cells of a column padded to one width, a rule under the first."""
    width = max(map(len, cells))
    padded = [cell.rjust(width) if is_right else cell.ljust(width) for cell in cells]
    return [padded[0], "-" * width, *padded[1:]]


def _footer(frame: pl.DataFrame) -> str:
    if frame.height > _MAX_TABLE_ROWS:
        return (
            f"({frame.height:,} rows, the first {_MAX_TABLE_ROWS} shown; "
            "--format csv, json or parquet gives all)"
        )
    return f"({frame.height:,} {'row' if frame.height == 1 else 'rows'})"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
    return str(value).replace("\n", "\\n")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with lists and structs as JSON text, which CSV can hold."""
    nested = [column for column in frame if column.dtype.is_nested()]
    return frame.with_columns(
        pl.Series(column.name, [_json(value) for value in column.to_list()], dtype=pl.String)
        for column in nested
    )


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)
