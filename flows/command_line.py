"""The `pav` command: every option ends in one settings object and one store."""

import importlib.metadata
import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.models import CommandInfo

from pav.flows.database_commands import commands as database_commands
from pav.flows.endings import end_with
from pav.flows.machine_commands import commands as machine_commands
from pav.flows.score_commands import commands as score_commands
from pav.flows.settings_command import commands as settings_command
from pav.flows.stage_commands import commands as run_commands
from pav.flows.stage_commands import stage_commands, stage_help
from pav.flows.transfer_commands import commands as transfer_commands
from pav.models.errors import InputError, shown

_COMMANDS = (
    run_commands, database_commands, machine_commands, score_commands, transfer_commands,
    settings_command,
)  # fmt: skip


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(importlib.metadata.version("pav"))
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", metavar="", callback=_print_version, is_eager=True, help="Print version."
    ),
]


def _root(version: Version = False) -> None:
    """Hold the options of `pav` itself."""


def _app() -> typer.Typer:
    """Return `pav` with the commands of every stage; InputError where a plug-in is faulty."""
    app = typer.Typer(
        help="Step-level credit for language models: labels by rollouts, verifiers, search.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    stages = stage_commands()
    taken = [_name(command) for group in _COMMANDS for command in group.registered_commands]
    for command in stages.registered_commands:
        if _name(command) in taken:
            raise InputError(
                f"plug-in {command.name!r} (pav.stages): expected a name that no command of pav "
                "has; rename the stage"
            )
    for commands in (stages, *_COMMANDS):
        app.add_typer(commands)
    return app


def _name(command: CommandInfo) -> str:
    return str(command.name or getattr(command.callback, "__name__", ""))


def main() -> None:
    """Run `pav`, and end this process with the exit status of what came of it."""

    def command() -> None:
        _check_arguments(sys.argv[1:])
        _app()(prog_name="pav")

    end_with(command, advice=_what_next())


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise InputError where a word of the command line is no text, such as an old file name."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            message = f"expected arguments in UTF-8, got {shown(argument)}; rename the file"
            raise InputError(message) from None


def _what_next() -> str:
    """Return how to go on, in a line of its own, where the command can; else nothing."""
    try:
        # What leaves finished units behind, so that the same command goes on.
        resumable = {*stage_help(), "bench"}
    except InputError:
        # The command itself says what is wrong.
        return ""
    if not set(sys.argv[1:2]) & resumable:
        return ""
    command = shlex.join(["pav", *sys.argv[1:]])
    return f"Every finished unit is kept in the store; the same command goes on: {command}"
