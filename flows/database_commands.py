"""The commands that ask and check labels.duckdb."""

import shutil
import sys
from enum import StrEnum
from typing import Annotated

import typer

from pav.flows.options import DEFAULT_STORE, StoreAddress, aligned, put, put_bytes
from pav.models.errors import InputError
from pav.tasks.store.store import Store

commands = typer.Typer()


class TableFormat(StrEnum):
    """How `pav sql` writes rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


@commands.command()
def sql(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help="A select, the name of a saved query, or - for what comes on standard input.",
        ),
    ] = "",
    store: StoreAddress = DEFAULT_STORE,
    table_format: Annotated[
        TableFormat, typer.Option("--format", help="How to write the rows.")
    ] = TableFormat.TABLE,
    is_list: Annotated[
        bool, typer.Option("--list", metavar="", help="List the saved queries.")
    ] = False,
) -> None:
    """Run a read-only SQL query, or a saved one by name, on labels.duckdb."""
    from pav.tasks.database.queries import ask, render, saved_queries
    from pav.tasks.database.tables import visible

    if is_list:
        put(aligned(saved_queries()))
        return
    question = sys.stdin.read() if query == "-" else query
    if not question.strip():
        raise InputError("pav sql: expected a select or a saved query's name; --list shows them")
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else None
    data = render(ask(Store(store), question), table_format.value, width=width)
    if is_terminal and table_format is not TableFormat.PARQUET:
        # A text of a question or a response must not move the cursor, nor worse.
        data = "".join(f"{visible(line)}\n" for line in data.decode().split("\n")[:-1]).encode()
    put_bytes(data)


@commands.command()
def check(store: StoreAddress = DEFAULT_STORE) -> None:
    """Check the integrity of the store's database; exit status 1 where anything is wrong."""
    from pav.tasks.database.queries import check_store
    from pav.tasks.database.tables import visible

    faults = check_store(Store(store))
    for fault in faults:
        put(visible(fault.text))
    put(f"{len(faults):,} {'fault' if len(faults) == 1 else 'faults'}" if faults
        else "the database is whole")  # fmt: skip
    if faults:
        raise typer.Exit(1)
