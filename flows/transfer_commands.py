"""The commands `pav import` and `pav export`."""

import json
from typing import Annotated

import typer

from pav.flows.options import DEFAULT_STORE, AsJson, Overrides, StoreAddress, open_store
from pav.flows.settings_file import DEFAULT_CONFIG, load_settings
from pav.tasks.store import Store

commands = typer.Typer()


@commands.command("import")
def bring_in(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="plain, math-shepherd, prm800k, …")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows of that format.")],
    store: StoreAddress = DEFAULT_STORE,
    policy: Annotated[
        str, typer.Option("--policy", help="Whose solutions they are, where rows name none.")
    ] = "",
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Bring solutions and step labels of others into the store; say what they leave unsaid."""
    from pav.flows import transfer

    settings = load_settings(DEFAULT_CONFIG, ["problems.domain=math", *(overrides or ())])
    imported = transfer.bring_in(form, file, settings, open_store(store), policy=policy)
    typer.echo(json.dumps(imported.as_record()) if as_json else imported.as_text())
    transfer.publish(open_store(store))


@commands.command("export")
def hand_out(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="math-shepherd, trl, parquet.")],
    out: Annotated[str, typer.Option("--out", help="The file to write.")],
    store: StoreAddress = DEFAULT_STORE,
    policy: Annotated[
        str, typer.Option("--policy", help="Whose labels: a role or policy_id; default base.")
    ] = "",
    split: Annotated[str, typer.Option("--split", help="Only these problems' solutions.")] = "",
) -> None:
    """Write solutions with their step labels to a file; say what the format loses."""
    from pav.flows import transfer

    written = transfer.hand_out(form, out, Store(store), policy=policy, split=split)
    typer.echo(written.summary)
    for note in written.notes:
        typer.echo(f"pav: {note}", err=True)
