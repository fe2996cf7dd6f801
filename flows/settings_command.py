"""The command `pav settings`."""

import shutil
from typing import Annotated

import typer

from pav.flows.options import AsJson, put, show

commands = typer.Typer()


@commands.command()
def settings(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="Only these, e.g. train or label.search.")
    ] = "",
    as_json: AsJson = False,
    is_page: Annotated[
        bool, typer.Option("--markdown", metavar="", help="Print the page docs/settings.md.")
    ] = False,
) -> None:
    """List every setting with its default, the values it takes, and what it is."""
    from pav.flows.settings_reference import reference

    found = reference(prefix)
    if is_page:
        put(found.as_markdown().rstrip())
    elif as_json:
        show(found, as_json=True)
    else:
        put(found.as_text(min(shutil.get_terminal_size().columns, 100)))
