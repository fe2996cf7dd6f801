"""Options that commands share, the store that they name, and how they print."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Protocol

import typer

from pav.models.errors import InputError, StoreError, WorkError
from pav.tasks.store import Store

DEFAULT_STORE = "./store"

Config = Annotated[str, typer.Argument(help="A name in configs/, or the path of a YAML file.")]
StoreAddress = Annotated[
    str, typer.Option("--store", envvar="PAV_STORE", help="A folder, or s3://bucket/prefix.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE",
        help="One setting, e.g. train.steps=200; `pav settings` lists them.",
    ),
]  # fmt: skip
# Without a metavar of nothing, Typer shows a flag as if it took a value.
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print the result as JSON.")]


class Shown(Protocol):
    """What a command prints."""

    def as_record(self) -> dict[str, Any]:
        """Return it for programs."""
        ...

    def as_text(self) -> str:
        """Return it for people."""
        ...


def open_store(address: str) -> Store:
    """Return a store that can be written; InputError where the address cannot be one."""
    store = named_store(address)
    try:
        store.check_writable()
    except StoreError as error:
        raise InputError(str(error)) from error
    return store


def named_store(address: str) -> Store:
    """Return the store of an address, to be read; InputError where the address cannot be one."""
    try:
        return Store(address)
    except StoreError as error:
        raise InputError(str(error)) from error


def show(result: Shown, *, as_json: bool) -> None:
    """Print a result, for programs or for people."""
    put(json.dumps(result.as_record()) if as_json else result.as_text())


def put(text: str) -> None:
    """Print a text and a newline; WorkError where standard output takes no more."""
    put_bytes(f"{text}\n".encode())


def put_bytes(data: bytes) -> None:
    """Write to standard output; WorkError where it takes no more, silence where nobody reads on."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(1) from None
        raise WorkError(f"standard output: {error.strerror}; not all of it was written") from error


def aligned(facts: Mapping[str, str]) -> str:
    """Return names and what is said of each, in two columns."""
    width = max(map(len, facts))
    return "\n".join(f"{name:{width}}  {value}" for name, value in facts.items())
