"""Answers of DuckDB as Polars frames: every type of value comes whole, or as DuckDB writes it."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

from pav.models.errors import InputError

Result = TypeVar("Result")
_LOOK_SECONDS = 0.1

# The answer as a table of the connection's own memory, so that its values can be looked at.
_TABLE = "memory.main.answer"
# What Polars and Python hold as DuckDB does; other types come as text.
_PLAIN = frozenset({
    "bigint", "boolean", "decimal", "double", "enum", "float", "integer", "smallint", "tinyint",
    "ubigint", "uinteger", "usmallint", "utinyint", "varchar",
})  # fmt: skip
# How a question begins.
_READS = re.compile(r"(?:\s|--.*\n|/\*.*?\*/|\()*(?:from|pivot|select|with)\b", re.IGNORECASE)
_WIDE = re.compile(r"\bU?HUGEINT\b")
_DATES = frozenset({"date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"})
_NESTED = frozenset({"list", "array", "struct"})


@dataclass(frozen=True)
class _Stream:
    """A relation's rows for Polars, which caches by type: DuckDB's own would leak at exit."""

    relation: Any

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.relation.__arrow_c_stream__(requested_schema)


def check_select(connection: Any, query: str) -> None:
    """Raise InputError unless the text is one SELECT, since `explain analyze copy` writes."""
    statements = connection.extract_statements(query)
    kinds = [statement.type.name for statement in statements]
    # A pivot whose columns are not listed is several statements to DuckDB.
    is_pivot = kinds == ["MULTI"] and _READS.match(statements[0].query)
    if kinds != ["SELECT"] and not is_pivot:
        raise InputError(
            f"SQL: expected one select statement (also `with`, `from`, `pivot`, `describe`, "
            f"`summarize`, `show tables`), got {', '.join(kinds).lower() or 'nothing'}; the "
            "database is read only, `copy` and the like work in the bare shell on a copy of it"
        )


def fetch(connection: Any, query: str, parameters: Mapping[str, Any] | None) -> pl.DataFrame:
    """Return the rows of one SELECT; a name that stands twice gets a number.

    Sums of integers come as Int64 where they fit, else as decimals, else as text. Intervals,
    unions, infinite dates and what else Polars lacks come as text, nested ones as JSON.
    """
    relation = connection.sql(query, params=dict(parameters) if parameters else None)
    if _is_plain(relation):
        return _frame(relation)
    relation.create(_TABLE)
    try:
        answer = connection.sql(f"from {_TABLE}")
        types = zip(answer.columns, answer.types, strict=True)
        columns = [f"{_shown(connection, _name(name), kind)} as {_name(name)}"
                   for name, kind in types]  # fmt: skip
        shown = connection.sql(f"select {', '.join(columns)} from {_TABLE}")
        return _frame(shown)
    finally:
        connection.execute(f"drop table {_TABLE}").fetchall()


def _frame(relation: Any) -> pl.DataFrame:
    """Return the rows; they are computed first, as Polars would let no other thread run."""
    return pl.DataFrame(_Stream(relation.materialize()))


def interruptible(connection: Any, work: Callable[[], Result]) -> Result:
    """Return what `work` on a connection gives; Ctrl-C stops it at once.

    DuckDB looks at no signal, so the work is done in a thread while this one waits for either.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        future = thread.submit(work)
        try:
            # The signal may wake another thread; this one then sees it when it wakes itself.
            while not future.done():
                wait([future], timeout=_LOOK_SECONDS)
        except KeyboardInterrupt:
            connection.interrupt()
            raise
        return future.result()


def _is_plain(relation: Any) -> bool:
    """Tell whether the rows need no look: known types, and names that stand once."""
    names = {name.lower() for name in relation.columns}
    kinds = relation.types
    return len(names) == len(kinds) and not any(
        set(_leaves(kind)) - _PLAIN or kind.id == "decimal" for kind in kinds
    )


def _shown(connection: Any, column: str, kind: Any) -> str:
    """Return the SQL of a column as a type that Polars and Python hold."""
    leaves = set(_leaves(kind))
    if kind.id == "decimal" and _is_short(kind):
        return f"{column}::double"
    if leaves <= _PLAIN:
        return column
    if leaves <= _PLAIN | {"hugeint", "uhugeint"}:
        return _narrowed(connection, column, str(kind))
    if kind.id in _DATES and _is_calendar(connection, column):
        return column
    is_nested = kind.id in _NESTED | {"map", "union"}
    return f"to_json({column})::varchar" if is_nested else f"{column}::varchar"


def _is_short(decimal: Any) -> bool:
    """Tell whether a double holds every digit of a decimal type, and has a point to hold."""
    digits = dict(decimal.children)
    return bool(digits["scale"]) and digits["precision"] <= sys.float_info.dig


def _leaves(kind: Any) -> Sequence[str]:
    """Return the names of the types of a column's values, those inside lists and structs."""
    if kind.id not in _NESTED:
        return [kind.id]
    inner = [child for _, child in kind.children if not isinstance(child, int)]
    return [leaf for child in inner for leaf in _leaves(child)]


def _narrowed(connection: Any, column: str, kind: str) -> str:
    """Return wide integers as ones of 64 bits where all fit, else as decimals, else as text."""
    for narrow in ("BIGINT", "DECIMAL(38, 0)"):
        cast = f"try_cast({column} as {_WIDE.sub(narrow, kind)})"
        if not _has(connection, f"{cast}::{kind} is distinct from {column}"):
            return cast
    return f"{column}::varchar"


def _is_calendar(connection: Any, column: str) -> bool:
    """Tell whether every moment is one of Python's, of the years 1 to 9999."""
    within = f"isfinite({column}) and year({column}) between 1 and 9999"
    return not _has(connection, f"not ({within})")


def _has(connection: Any, condition: str) -> bool:
    [(found,)] = connection.execute(f"select count(*) from {_TABLE} where {condition}").fetchall()
    return bool(found)


def _name(column: str) -> str:
    """Return a column's name as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'
