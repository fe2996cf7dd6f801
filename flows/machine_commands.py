"""The commands `pav grade`, `pav bench` and `pav doctor`."""

import json
from typing import Annotated, Literal

import typer

from pav.flows.options import (
    DEFAULT_STORE,
    AsJson,
    Overrides,
    StoreAddress,
    aligned,
    open_store,
    put,
)
from pav.flows.settings_file import DEFAULT_CONFIG, load_settings
from pav.tasks.store.store import Store

commands = typer.Typer()

BenchName = Literal["engine", "labels", "grading", "coverage", "publish"]


@commands.command()
def grade(
    file: Annotated[str, typer.Argument(help="JSONL rows with answer, response, expected?.")],
    domain: Annotated[
        str, typer.Option("--domain", help="What the problems are: countdown, math or a plug-in's.")
    ],
    out: Annotated[str, typer.Option("--out", help="Write the rows here, not to stdout.")] = "",
    is_audited: Annotated[
        bool,
        typer.Option("--audit", metavar="", help="List rows that a second grader disagrees on."),
    ] = False,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE",
            help="One setting, e.g. problems.answer_mark=boxed or grade.processes=4.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Add verdict and reason to each row; show how they agree with what is expected."""
    from pav.flows.grade import check_domain
    from pav.flows.grade import grade as grade_file
    from pav.tasks.store.out_files import check_out, write_rows

    if out:
        check_out(out)
    check_domain(domain)
    settings = load_settings(DEFAULT_CONFIG, [*(overrides or ()), f"problems.domain={domain}"])
    graded = grade_file(file, settings, is_audited=is_audited)
    if out:
        write_rows(out, graded.lines)
    else:
        put("\n".join(graded.lines))
    if graded.summary:
        # Where the rows go to standard output, programs read them there.
        typer.echo(graded.summary, err=not out)


@commands.command()
def bench(
    name: Annotated[
        BenchName,
        typer.Argument(
            metavar="NAME",
            help="engine: labels, rollouts and tokens a second. labels: what each planner's labels "
            "cost for their error. grading: verdicts a second and their agreement. coverage: "
            "coverage of the label intervals under each stopping rule. publish: building and "
            "asking labels.duckdb.",
        ),
    ] = "engine",
    config: Annotated[
        str, typer.Option("--config", help="Whose policy and prefixes.")
    ] = DEFAULT_CONFIG,
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
    put(json.dumps(figures) if as_json else benches.as_text(figures))


@commands.command()
def doctor(store: StoreAddress = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Show what this machine and the store have."""
    from pav.tasks.bench.machine import machine_facts, store_facts

    facts = machine_facts() | store_facts(Store(store))
    put(json.dumps(facts) if as_json else aligned(facts))
