"""Options that commands share, the store that they name, and how they print."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Protocol

import typer

from pav.models.errors import InputError, StoreError
from pav.tasks.store.store import Store, StoreUnreachableError

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
    store = Store(address)
    try:
        store.check_writable()
    except StoreUnreachableError:
        raise
    except StoreError as error:
        raise InputError(str(error)) from error
    return store


def show(result: Shown, *, as_json: bool) -> None:
    """Print a result, for programs or for people."""
    put(json.dumps(result.as_record()) if as_json else result.as_text())


def put(text: str) -> None:
    """Print a text and a newline."""
    put_bytes(f"{text}\n".encode())


def put_bytes(data: bytes) -> None:
    """Write to standard output at once; `end_with` tells what could not be written."""
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def aligned(facts: Mapping[str, str]) -> str:
    """Return names and what is said of each, in two columns."""
    width = max(map(len, facts))
    return "\n".join(f"{name:{width}}  {value}" for name, value in facts.items())
