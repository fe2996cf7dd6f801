"""The report of a run: one self-contained HTML page, its figures as files, and results.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pav.tasks.database.runs import report_path, results_path
from pav.tasks.report import figures as report_figures
from pav.tasks.report import words as report_words
from pav.tasks.report.arm_names import MINUS
from pav.tasks.report.claims import Claim
from pav.tasks.report.context import report_context
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.plotting import Figure
from pav.tasks.report.tables import Table
from pav.tasks.store.store import Store

Shown = TypeVar("Shown", Figure, Table)


@dataclass(frozen=True)
class WrittenReport:
    """Where a report lies in the store, and the tables and claims that it shows."""

    report: str
    results: str
    figures: tuple[str, ...]
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]


def write_report(store: Store, run_id: str, inputs: ReportInputs) -> WrittenReport:
    """Write the page, its figures as SVG files and results.json of a run."""
    context = report_context(run_id, inputs)
    drawn = _found(context, Figure)
    written = WrittenReport(
        report_path(run_id),
        results_path(run_id),
        tuple(f"runs/{run_id}/figures/{figure.name}.svg" for figure in drawn),
        tuple(table for table in _found(context, Table) if table.rows),
        context["claim_table"].claims,
    )
    for path, figure in zip(written.figures, drawn, strict=True):
        store.write_bytes(path, figure.svg)
    results = json.dumps(full_results(inputs), indent=2, allow_nan=False)
    store.write_bytes(written.results, (results + "\n").encode())
    store.write_bytes(written.report, render(context).encode())
    return written


def full_results(inputs: ReportInputs) -> dict[str, Any]:
    """Return what `results.json` holds: the results, verifiers by step, labels summed up."""
    return {
        **inputs.results,
        "verifiers_by_step": report_figures.metrics_by_step(inputs.scores),
        "labels": report_words.label_summary(inputs),
    }


def render(context: Mapping[str, Any]) -> str:
    """Return the page; StrictUndefined turns a missing name into an error."""
    environment = Environment(
        loader=PackageLoader("pav.tasks.report", "templates"),
        autoescape=select_autoescape(["html.j2", "html"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["signed"] = signed
    return environment.get_template("report.html.j2").render(**context)


def signed(number: float) -> str:
    """Return a change with its sign and two decimals; nothing is no change, so it has no sign."""
    text = f"{number:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", MINUS)


def _found(context: Mapping[str, Any], kind: type[Shown]) -> list[Shown]:
    """Return the figures, or the tables, of a context in the order of the page."""
    values = [each if isinstance(each, list) else [each] for each in context.values()]
    return [item for value in values for item in value if isinstance(item, kind)]
