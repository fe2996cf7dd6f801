"""The `pav` command: every option ends in one settings object and one store."""

import importlib.metadata
import shlex
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Annotated, NoReturn

import typer

from pav.flows.database_commands import commands as database_commands
from pav.flows.machine_commands import commands as machine_commands
from pav.flows.score_commands import commands as score_commands
from pav.flows.settings_command import commands as settings_command
from pav.flows.stage_commands import STAGE_HELP
from pav.flows.stage_commands import commands as stage_commands
from pav.flows.transfer_commands import commands as transfer_commands
from pav.models.errors import InputError, PavError, shown

app = typer.Typer(
    help="Step-level credit for language models: labels by rollouts, verifiers, search.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _commands in (
    stage_commands, database_commands, machine_commands, score_commands, transfer_commands,
    settings_command,
):  # fmt: skip
    app.add_typer(_commands)

# What leaves finished units behind, so that the same command goes on.
_RESUMABLE = (*STAGE_HELP, "bench")
# Typer's exit status after Ctrl-C.
_INTERRUPTED = 130


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


@app.callback()
def _root(version: Version = False) -> None:
    """Hold the options of `pav` itself."""


def main() -> None:
    """Run `pav`: exit status 0 done, 2 the input is wrong, 1 the work failed."""
    try:
        _check_arguments(sys.argv[1:])
        app(prog_name="pav")
    except InputError as error:
        _leave(2, f"pav: {error}")
    except PavError as error:
        _leave(1, f"pav: {error}{_what_next()}")
    except SystemExit as left:
        if left.code != _INTERRUPTED:
            raise
        _leave(1, f"pav: interrupted{_what_next()}")
    finally:
        # Typer sets a hook of its own.
        sys.excepthook = _explain_surprise


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise InputError where a word of the command line is no text, such as an old file name."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            message = f"expected arguments in UTF-8, got {shown(argument)}; rename the file"
            raise InputError(message) from None


def _leave(exit_status: int, message: str) -> NoReturn:
    typer.echo(message, err=True)
    sys.exit(exit_status)


def _what_next() -> str:
    """Return how to go on, in a line of its own, where the command can; else nothing."""
    if not set(sys.argv[1:2]) & set(_RESUMABLE):
        return ""
    command = shlex.join(["pav", *sys.argv[1:]])
    return f"\nEvery finished unit is kept in the store; the same command goes on: {command}"


def _explain_surprise(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print the traceback of an error that nobody foresaw, and how to go on."""
    lines = traceback.format_exception(kind, error, trace)
    typer.echo("".join(lines).rstrip() + _what_next(), err=True)
