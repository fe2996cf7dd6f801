"""What labels.duckdb holds: its macros, tables and views, each with what it and its columns are."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pav import sql
from pav.sql.columns import comment
from pav.tasks.database.plugin_tables import plugin_comments, plugin_tables

_FILES = "$rollout_files"


def build_schema(connection: Any, parameters: Mapping[str, Any], rollouts: str) -> None:
    """Run every statement of a database; `rollouts` is the SQL list of the raw rollouts' files."""
    # The view of rollouts takes its columns from the empty file: theirs may be far away.
    connection.execute(
        "set variable rollout_files = $files", {"files": parameters["rollouts"]}
    ).fetchall()
    texts = {path: sql.read(path) for path in sql.build_order()} | plugin_tables()
    for path in sql.ordered(texts):
        text = texts[path]
        if _FILES in text:
            text = _rollouts_statement(text, rollouts)
        used = {key: parameters[key] for key in re.findall(r"\$(\w+)", text)}
        connection.execute(text, used).fetchall()
        grain = text.partition("\n")[0].removeprefix("-- ")
        name = path.rpartition("/")[2]
        connection.execute(f"comment on {_kind(path, text)} {name} is {_quoted(grain)}").fetchall()
    _comment_columns(connection)


def rollout_list(root: str, paths: Sequence[str]) -> str:
    """Return the SQL list of the files of raw rollouts; empty where there are none.

    The variable `store` points it to another place of the store, `rollout_files` to other files.
    """
    if not paths:
        return ""
    relative = ", ".join(map(_quoted, paths))
    return (
        f"coalesce(getvariable('rollout_files'), list_transform([{relative}], lambda path: "
        f"concat(coalesce(getvariable('store'), {_quoted(root)}), '/', path)))"
    )


def _rollouts_statement(text: str, rollouts: str) -> str:
    """Return the view's statement, whose text takes no parameters; without files, a table's."""
    if rollouts:
        return text.replace(_FILES, rollouts)
    return text.replace("create view", "create table").replace(_FILES, "$rollouts")


def _kind(path: str, text: str) -> str:
    if path.startswith("macros/"):
        return "macro table" if ") as table" in text else "macro"
    return "table" if "create table" in text else "view"


def _comment_columns(connection: Any) -> None:
    columns = connection.execute(
        "select table_name, column_name from duckdb_columns() where not internal"
    ).fetchall()
    added = plugin_comments()
    for table, column in columns:
        if text := added.get((table, column)) or comment(table, column):
            statement = f'comment on column {table}."{column}" is {_quoted(text)}'
            connection.execute(statement).fetchall()


def _quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
