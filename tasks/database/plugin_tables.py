"""The tables that data sets of plug-ins get in labels.duckdb."""

import re

from pav import sql
from pav.models.errors import InputError
from pav.models.hashing import digest
from pav.tasks.database.inputs import ROW_SCHEMAS
from pav.tasks.store.datasets import DataSet, plugin_data_sets

_DEFAULT_GRAIN = "One row of the data set of a plug-in."


def plugin_tables() -> dict[str, str]:
    """Return `schema/NAME` -> the statement of its table; InputError where one is unfit."""
    return {f"schema/{name}": _statement(name, each) for name, each in plugin_data_sets().items()}


def plugin_comments() -> dict[tuple[str, str], str]:
    """Return (table, column) -> what a plug-in says of it."""
    return {
        (table, column): text
        for table, data_set in plugin_data_sets().items()
        for column, text in data_set.comments.items()
    }


def plugins_mark() -> dict[str, str]:
    """Return what tells a database of these plug-ins' tables from others; nothing without any."""
    said = {
        name: [_statement(name, each), str(dict(each.columns)), dict(each.comments)]
        for name, each in plugin_data_sets().items()
    }
    return {"plugins": digest(said, length=12)} if said else {}


def _statement(name: str, data_set: DataSet) -> str:
    _check_name(name)
    grain = f"-- {data_set.grain or _DEFAULT_GRAIN}\n"
    if not data_set.sql:
        columns = ", ".join(f'"{column}"' for column in data_set.columns)
        source = f"read_parquet(${name}, union_by_name = true)"
        return f"{grain}create table {name} as select {columns} from {source}"
    if not re.search(rf"^create table {name} as\b", data_set.sql, re.MULTILINE):
        raise InputError(
            f"plug-in {name!r} (pav.datasets): expected sql with `create table {name} as`, got "
            f"{data_set.sql[:60]!r}"
        )
    return grain + data_set.sql


def _check_name(name: str) -> None:
    taken = {table for folder in sql.BUILT for table in sql.names(folder)} | ROW_SCHEMAS.keys()
    if name in taken or not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise InputError(
            f"plug-in {name!r} (pav.datasets): expected a name of small letters, digits and _ that "
            "no table of pav has; rename the data set"
        )
