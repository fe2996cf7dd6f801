"""The commands `pav import` and `pav export`."""

from typing import Annotated, Literal

import typer

from pav.flows.options import (
    DEFAULT_STORE,
    AsJson,
    Overrides,
    StoreAddress,
    open_store,
    put,
    show,
)
from pav.flows.settings_file import DEFAULT_CONFIG, load_settings
from pav.models.settings import FormatName
from pav.tasks.store.store import Store

commands = typer.Typer()

ExportFormat = Literal["math-shepherd", "trl", "parquet"]
SplitName = Literal["train", "validation", "test"]


@commands.command("import")
def bring_in(
    form: Annotated[FormatName, typer.Argument(metavar="FORMAT", help="See docs/formats.md.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows of that format.")],
    store: StoreAddress = DEFAULT_STORE,
    policy: Annotated[
        str, typer.Option("--policy", help="Whose solutions they are, where rows name none.")
    ] = "",
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Import solutions and step labels; report missing fields."""
    from pav.flows import transfer

    settings = load_settings(DEFAULT_CONFIG, ["problems.domain=math", *(overrides or ())])
    imported = transfer.bring_in(form, file, settings, open_store(store), policy=policy)
    show(imported, as_json=as_json)
    transfer.publish(open_store(store))


@commands.command("export")
def hand_out(
    form: Annotated[ExportFormat, typer.Argument(metavar="FORMAT", help="See docs/formats.md.")],
    out: Annotated[str, typer.Option("--out", help="The file to write.")],
    store: StoreAddress = DEFAULT_STORE,
    policy: Annotated[
        str, typer.Option("--policy", help="Whose labels: a role or policy_id; default base.")
    ] = "",
    split: Annotated[
        SplitName | None, typer.Option("--split", help="Only these problems' solutions.")
    ] = None,
) -> None:
    """Export solutions with their step labels; report what the format cannot hold."""
    from pav.flows import transfer

    written = transfer.hand_out(form, out, Store(store), policy=policy, split=split or "")
    put(written.summary)
    for note in written.notes:
        typer.echo(f"pav: {note}", err=True)
