"""The `pav` command: every option ends in one settings object and one store."""

import importlib.metadata
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Protocol, get_args

import typer

from pav.flows.endings import end_with
from pav.flows.options import (
    DEFAULT_STORE,
    AsJson,
    Config,
    Overrides,
    StoreAddress,
    open_store,
)
from pav.flows.score_commands import commands as score_commands
from pav.flows.settings_file import DEFAULT_CONFIG, load_settings
from pav.flows.transfer_commands import commands as transfer_commands
from pav.models.errors import InputError, shown
from pav.models.settings import DomainName
from pav.tasks.store import Store

app = typer.Typer(
    help="Step-level credit for language models: labels by rollouts, verifiers, search.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Shown(Protocol):
    """What a command prints."""

    def as_record(self) -> dict[str, Any]:
        """Return it for programs."""
        ...

    def as_text(self) -> str:
        """Return it for people."""
        ...


class TableFormat(StrEnum):
    """How `pav sql` writes rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


STAGE_HELP = {
    "prepare": "Make the problems and the three policies.",
    "sample": "Sample solutions to be labelled.",
    "label": "Roll out prefixes, as the planner of the settings has it, and count successes.",
    "train": "Train the verifiers.",
    "evaluate": "Search on held-out problems with every arm.",
    "report": "Publish labels.duckdb and write the report.",
    "run": "Do everything, from problems to the report.",
}


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(importlib.metadata.version("pav"))
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print version.")
]


@app.callback()
def _root(version: Version = False) -> None:
    """Hold the options of `pav` itself."""


def _stage_command(name: str) -> Callable[..., None]:
    """Return the command that does what is missing up to a stage."""

    def command(
        config: Config = DEFAULT_CONFIG,
        store: StoreAddress = DEFAULT_STORE,
        overrides: Overrides = None,
        as_json: AsJson = False,
    ) -> None:
        from pav.flows.run import run_until

        settings = load_settings(config, overrides or ())
        _show(lambda: run_until(name, settings, open_store(store)), as_json=as_json)

    return command


def _label(
    config: Config = DEFAULT_CONFIG,
    store: StoreAddress = DEFAULT_STORE,
    overrides: Overrides = None,
    is_estimate: Annotated[
        bool, typer.Option("--estimate", help="Label a few problems and say what all would cost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    if not is_estimate:
        _stage_command("label")(config, store, overrides, as_json)
        return
    from pav.flows.estimate import estimate_labels

    settings = load_settings(config, overrides or ())
    _show(lambda: estimate_labels(settings, open_store(store)), as_json=as_json)


def _show(work: Callable[[], Shown], *, as_json: bool) -> None:
    """Do the work and print what came of it."""
    shown = work()
    typer.echo(json.dumps(shown.as_record()) if as_json else shown.as_text())


for _name, _help in STAGE_HELP.items():
    _command = _label if _name == "label" else _stage_command(_name)
    app.command(_name, help=f"{_help} Whatever is done already is reused.")(_command)


@app.command()
def status(
    config: Config = DEFAULT_CONFIG,
    store: StoreAddress = DEFAULT_STORE,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show units done, missing and failed per data set, their cost, and what is left."""
    from pav.flows.status import look

    overview = look(load_settings(config, overrides or ()), Store(store))
    typer.echo(json.dumps(overview.as_record()) if as_json else overview.as_text())


@app.command()
def grade(
    file: Annotated[str, typer.Argument(help="JSONL rows with answer, response, expected?.")],
    domain: Annotated[str, typer.Option("--domain", help="countdown or math.")],
    out: Annotated[str, typer.Option("--out", help="Write the rows here, not to stdout.")] = "",
    is_audited: Annotated[
        bool, typer.Option("--audit", help="List rows that a second grader disagrees on.")
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Add verdict and reason to each row; show how they agree with what is expected."""
    from pav.flows.grade import grade as grade_file
    from pav.tasks.out_files import check_out, write_rows

    if domain not in get_args(DomainName):
        raise InputError(f"--domain: expected one of {get_args(DomainName)}, got {domain!r}")
    if out:
        check_out(out)
    settings = load_settings(DEFAULT_CONFIG, [*(overrides or ()), f"problems.domain={domain}"])
    graded = grade_file(file, settings, is_audited=is_audited)
    if out:
        write_rows(out, graded.lines)
    else:
        typer.echo("\n".join(graded.lines))
    if graded.summary:
        # Where the rows go to standard output, programs read them there.
        typer.echo(graded.summary, err=not out)


app.add_typer(score_commands)
app.add_typer(transfer_commands)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="What to measure.")] = "engine",
    config: Annotated[
        str, typer.Option("--config", help="Whose policy and prefixes.")
    ] = "quickstart",
    data: Annotated[
        str,
        typer.Option("--data", help="Folder with gsm8k/, math/ (grading); rollouts (publish)."),
    ] = "",
    store: StoreAddress = DEFAULT_STORE,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Measure this machine: one table, and bench/NAME.json in the store."""
    from pav.flows import bench as benches

    settings = load_settings(config, overrides or ())
    figures = benches.bench(name, settings, open_store(store), data=data)
    typer.echo(json.dumps(figures) if as_json else benches.as_text(figures))


@app.command()
def doctor(store: StoreAddress = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Show what this machine and the store have."""
    from pav.tasks.machine import machine_facts, store_facts

    facts = machine_facts() | store_facts(Store(store))
    typer.echo(json.dumps(facts) if as_json else _aligned(facts))


@app.command()
def check(store: StoreAddress = DEFAULT_STORE) -> None:
    """Check the integrity of the store's database; exit status 1 where anything is wrong."""
    from pav.tasks.queries import check_store

    faults = check_store(Store(store))
    for fault in faults:
        typer.echo(fault.text)
    typer.echo(f"{len(faults)} faults" if faults else "the database is whole")
    if faults:
        raise typer.Exit(1)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A select, or the name of a saved query.")] = "",
    store: StoreAddress = DEFAULT_STORE,
    table_format: Annotated[TableFormat, typer.Option("--format")] = TableFormat.TABLE,
    is_list: Annotated[bool, typer.Option("--list", help="List the saved queries.")] = False,
) -> None:
    """Answer a question to labels.duckdb, read only."""
    from pav.tasks.queries import ask, render, saved_queries

    if is_list:
        typer.echo(_aligned(saved_queries()))
        return
    if not query:
        raise InputError("pav sql: expected a select or a saved query's name; --list shows them")
    sys.stdout.buffer.write(render(ask(Store(store), query), table_format.value))


def _aligned(facts: Mapping[str, str]) -> str:
    width = max(map(len, facts))
    return "\n".join(f"{name:{width}}  {value}" for name, value in facts.items())


def main() -> None:
    """Run `pav`, and end this process with the exit status of what came of it."""

    def command() -> None:
        _check_arguments(sys.argv[1:])
        app(prog_name="pav")

    is_resumable = bool(STAGE_HELP.keys() & set(sys.argv[1:2]))
    end_with(command, advice=_what_next() if is_resumable else "")


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise InputError where a word of the command line is no text, such as an old file name."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            message = f"expected arguments in UTF-8, got {shown(argument)}; rename the file"
            raise InputError(message) from None


def _what_next() -> str:
    command = shlex.join(["pav", *sys.argv[1:]])
    return f"Every finished unit is kept in the store; the same command goes on: {command}"
