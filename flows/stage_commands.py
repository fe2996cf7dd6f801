"""The commands that run stages, and `pav status`."""

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from pav.flows.options import (
    DEFAULT_STORE,
    AsJson,
    Config,
    Overrides,
    StoreAddress,
    open_store,
    put,
    show,
)
from pav.flows.settings_file import DEFAULT_CONFIG, load_settings
from pav.flows.stages import all_stages
from pav.tasks.runner.progress import tell
from pav.tasks.store.store import Store

commands = typer.Typer()


def stage_help() -> dict[str, str]:
    """Return what every command that runs stages does, in the order of the stages."""
    return {
        **{stage.name: stage.help for stage in all_stages()},
        "report": "Publish labels.duckdb and write the report",
        "run": "Do everything, from problems to the report",
    }


def _stage_command(name: str) -> Callable[..., None]:
    """Return the command that does what is missing up to a stage."""

    def command(
        config: Config = DEFAULT_CONFIG,
        store: StoreAddress = DEFAULT_STORE,
        overrides: Overrides = None,
        as_json: AsJson = False,
    ) -> None:
        settings = load_settings(config, overrides or ())
        opened = open_store(store)
        # At once: what plans a run takes a second to import.
        tell(f"planning {config} in {opened.root} …")
        from pav.flows.run import run_until

        show(run_until(name, settings, opened), as_json=as_json)

    return command


def _label(
    config: Config = DEFAULT_CONFIG,
    store: StoreAddress = DEFAULT_STORE,
    overrides: Overrides = None,
    is_estimate: Annotated[
        bool,
        typer.Option(
            "--estimate", metavar="", help="Label a few problems and say what all would cost."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    if not is_estimate:
        _stage_command("label")(config, store, overrides, as_json)
        return
    from pav.flows.estimate import estimate_labels

    settings = load_settings(config, overrides or ())
    opened = open_store(store)
    show(estimate_labels(settings, opened), as_json=as_json)


def stage_commands() -> typer.Typer:
    """Return the commands that run stages, those of plug-ins too."""
    made = typer.Typer()
    for name, text in stage_help().items():
        # A stage needs those before it.
        before = "" if name in ("prepare", "run") else ", and every stage before it"
        command = _label if name == "label" else _stage_command(name)
        made.command(name, help=f"{text}{before}. Whatever is done already is reused.")(command)
    return made


@commands.command()
def status(
    config: Config = DEFAULT_CONFIG,
    store: StoreAddress = DEFAULT_STORE,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show units done, missing and failed per data set, their cost, and what is left."""
    from pav.flows.status import look

    show(look(load_settings(config, overrides or ()), Store(store)), as_json=as_json)


@commands.command("open")
def open_report(
    run: Annotated[str, typer.Argument(help="Which run; the newest one with a report.")] = "",
    store: StoreAddress = DEFAULT_STORE,
) -> None:
    """Print where a run's report lies, and open it where there is a display."""
    from pav.tasks.database.runs import written_report

    address = written_report(Store(store), run)
    put(address)
    has_display = sys.platform == "darwin" or any(map(os.environ.get, _DISPLAYS))
    if has_display and sys.stdout.isatty():
        typer.launch(address)


_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
