"""Options that commands share, and the store that they name."""

from typing import Annotated

import typer

from pav.models.errors import InputError, StoreError
from pav.tasks.store import Store

DEFAULT_STORE = "./store"

Config = Annotated[str, typer.Argument(help="A name in configs/, or the path of a YAML file.")]
StoreAddress = Annotated[
    str, typer.Option("--store", envvar="PAV_STORE", help="A folder, or s3://bucket/prefix.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. train.steps=200."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def open_store(address: str) -> Store:
    """Return a store that can be written; InputError where the address cannot be one."""
    try:
        store = Store(address)
        store.check_writable()
    except StoreError as error:
        raise InputError(str(error)) from error
    return store
