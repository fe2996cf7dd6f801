"""The report of a run: one self-contained HTML page, its figures as files, and results.json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pav.tasks import report_figures, report_tables, report_words
from pav.tasks.arm_labels import DASH, MINUS, verifier_label
from pav.tasks.examples import Example, ExampleTables, Track, advantages_along, worked_examples
from pav.tasks.figures import comparison_figure
from pav.tasks.plotting import Figure
from pav.tasks.report_inputs import ReportInputs
from pav.tasks.report_tables import Table
from pav.tasks.report_words import Claim
from pav.tasks.store import Store

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
    folder = f"runs/{run_id}"
    written = WrittenReport(
        f"{folder}/report.html",
        f"{folder}/results.json",
        tuple(f"{folder}/figures/{figure.name}.svg" for figure in drawn),
        tuple(table for table in _found(context, Table) if table.rows),
        tuple(context["claims"]),
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
        loader=PackageLoader("pav.tasks", "templates"),
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


def report_context(run_id: str, inputs: ReportInputs) -> dict[str, Any]:
    """Return everything the page shows, by the names its template uses."""
    return {
        "title": "What process advantage verifiers are worth",
        "subtitle": _subtitle(run_id, inputs),
        "version": _version(),
        "settings_text": "\n".join(report_words.settings_lines(inputs.settings.model_dump())),
        **_claims_part(inputs),
        **_search_part(inputs),
        **_examples_part(inputs),
        **_labels_part(inputs),
        **_verifiers_part(inputs),
        "arm_table": report_tables.arm_table(inputs.arms, caption=_arm_caption(inputs)),
        "dataset_table": report_tables.dataset_table(inputs.stages),
        "timing_table": report_tables.timing_table(
            inputs.stages,
            unit_seconds=inputs.results["unit_seconds"],
            device_hour_price=inputs.settings.runner.device_hour_price,
        ),
    }


def _claims_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return the head of the page: numbers, claims, their forest plot, compute ratios."""
    confidence = inputs.settings.report.confidence
    comparisons = inputs.results["comparisons"]
    caption = (
        f"Dot: paired difference over {inputs.num_test_problems} test problems. Thick: "
        f"{100 * confidence:g}% bootstrap over problems; thin: t interval over pipeline seeds, "
        "where there are several. Blue: the interval excludes zero."
    )
    title = "Paired differences"
    return {
        "tiles": report_words.tiles(inputs),
        "protocol": report_words.protocol(inputs),
        "claims": report_words.claims(comparisons, confidence=confidence),
        "comparison_figure": (
            comparison_figure(comparisons, title=title, caption=caption) if comparisons else None
        ),
        **_comparison_tables(inputs),
    }


def _comparison_tables(inputs: ReportInputs) -> dict[str, Any]:
    """Return further differences, compute ratios, and what coverage the intervals have."""
    confidence = f"{100 * inputs.settings.report.confidence:g}%"
    return {
        "other_table": report_tables.comparison_table(
            inputs.results["other_comparisons"],
            caption=f"Percentage points, {confidence} intervals, paired as above. Not claims: "
            "nothing was said of them beforehand.",
        ),
        "compute_table": report_tables.compute_table(
            inputs.results["compute"],
            caption="Cost of the better ORM's best-of-N over the cost at which the beam's curve "
            "first reaches its accuracy (linear in the logarithm). Above 1: the beam is cheaper. "
            "All tokens: generated ones and those that verifiers read. The interval is of the "
            "ratio of candidates, over problems. The paper reports 1.5 to 5 by beam width.",
        ),
        "coverage_table": report_tables.coverage_table(
            inputs.results["coverage"],
            caption="Share of simulated comparisons, in percent, whose interval holds the true "
            f"difference; {confidence} is what is promised.",
        ),
    }


def _search_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return the figures of search and what limits it."""
    return {
        "search_figures": report_figures.search_figures(inputs),
        "prover_figures": report_figures.prover_figures(inputs),
        "limits": report_words.limits(inputs),
        "limit_figures": report_figures.limit_figures(inputs),
    }


def _labels_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return what labels look like and what the exact solver says of them."""
    truth, unsolved = inputs.results["truth"], inputs.results["never_solved"]
    return {
        "label_words": report_words.label_words(inputs),
        "label_figures": report_figures.label_figures(inputs),
        "truth": truth,
        "truth_table": report_tables.truth_table(truth) if truth else None,
        "num_unsolved": len(unsolved),
        "unsolved_table": report_tables.unsolved_table(unsolved),
    }


def _verifiers_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return the verifiers' metrics, reliability and training curves."""
    caption = (
        "Problems that no verifier was trained on, pipeline seeds pooled; prefixes are those that "
        "the verifier scored and that have a label. The Brier score has the labels' own sampling "
        "variance taken off."
    )
    return {
        "verifier_table": report_tables.verifier_table(
            inputs.results["verifiers"], caption=caption
        ),
        "verifier_figures": report_figures.verifier_figures(inputs),
        "training_figures": report_figures.training_figures(inputs),
    }


def _examples_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return the worked examples, laid out as rows of cells."""
    tables = ExampleTables(inputs.problems, inputs.solutions, inputs.scores)
    examples = worked_examples(
        tables,
        count=inputs.settings.report.num_examples,
        main_k=inputs.settings.evaluate.main_k,
    )
    note = "" if examples else "This run has no held-out solution that every verifier scored."
    return {"examples": [example_rows(example) for example in examples], "example_note": note}


def example_rows(example: Example) -> dict[str, Any]:
    """Return an example as the template lays it out: one row a step, the bare problem first."""
    base, *others = example.tracks
    provers = [track for track in others if track.labelled]
    pairs = [_advantage_pair(track) for track in provers]
    rows = [
        {
            "index": index,
            "text": example.steps[index - 1].rstrip("\n") if index else "(the bare problem)",
            "mark": _mark(example, index),
            "is_solvable": example.is_solvable[index],
            "labelled": base.labelled[index],
            "count": example.counts[index],
            "scored": base.scored[index],
            "advantages": [
                {**pair, "labelled": pair["labelled"][index], "scored": pair["scored"][index]}
                for pair in pairs
            ],
        }
        for index in range(len(example.steps) + 1)
    ]
    names = ("heading", "question", "answer", "split", "verdict", "reason")
    return {
        **{name: getattr(example, name) for name in names},
        "provers": pairs,
        "rows": rows,
        "outcome": _orm_words([track for track in others if not track.labelled]),
    }


def _mark(example: Example, index: int) -> str:
    """Return what is wrong with a step: its text, or that it puts the target out of reach."""
    if index and index == example.wrong_step:
        return "wrong step"
    lost = index and example.is_solvable[index - 1] and example.is_solvable[index] is False
    return "target out of reach" if lost else ""


def _advantage_pair(track: Track) -> dict[str, Any]:
    """Return a prover's advantages by labels, if any prefix before the end has one, and scores."""
    return {
        "name": track.name,
        "labelled": advantages_along(track.labelled),
        "scored": advantages_along(track.scored),
        "has_labels": any(number is not None for number in track.labelled[:-1]),
    }


def _orm_words(tracks: Sequence[Track]) -> str:
    """Return what each ORM says of the finished solution."""
    said = [
        f"{verifier_label(track.name)} {track.scored[-1]:.2f}"
        for track in tracks
        if track.scored[-1] is not None
    ]
    return f"Score of the finished solution: {', '.join(said)}." if said else ""


def _subtitle(run_id: str, inputs: ReportInputs) -> str:
    """Return one line on problems, seeds and the name of the run."""
    splits = dict(inputs.problems["split"].value_counts().iter_rows())
    counted = ", ".join(
        f"{splits[name]:,} {name}" for name in ("train", "validation", "test") if name in splits
    )
    seeds = inputs.num_pipeline_seeds
    plural = "" if seeds == 1 else "s"
    searches = inputs.settings.evaluate.search_seeds
    return (
        f"Run {run_id}. Domain {inputs.settings.problems.domain}: {counted} problems. "
        f"{seeds} pipeline seed{plural}, {searches} search seed{'' if searches == 1 else 's'} "
        "for the main arms."
    )


def _arm_caption(inputs: ReportInputs) -> str:
    """Return aggregation, interval and the units of the costs."""
    return (
        f"Mean over {inputs.num_test_problems} test problems and the seeds named in the last "
        f"column; {100 * inputs.settings.report.confidence:g}% bootstrap intervals over problems. "
        "Tokens and seconds are for each problem; generated tokens include discarded candidates. "
        f"{DASH}: does not apply."
    )


def _found(context: Mapping[str, Any], kind: type[Shown]) -> list[Shown]:
    """Return the figures, or the tables, of a context in the order of the page."""
    values = [each if isinstance(each, list) else [each] for each in context.values()]
    return [item for value in values for item in value if isinstance(item, kind)]


def _version() -> str:
    """Return the installed version of the package."""
    try:
        return version("pav")
    except PackageNotFoundError:
        return ""
