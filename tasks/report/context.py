"""Everything the page of a report shows, by the names that its template uses."""

from collections.abc import Mapping
from typing import Any

from pav.models.domains import domain_key, solver_of
from pav.models.search.arms import FINAL_PICKS
from pav.tasks.report import arm_tables as report_arm_tables
from pav.tasks.report import figures as report_figures
from pav.tasks.report import tables as report_tables
from pav.tasks.report import verifier_words as report_verifier_words
from pav.tasks.report import words as report_words
from pav.tasks.report.arm_names import DASH, arm_label
from pav.tasks.report.claims import claim_table
from pav.tasks.report.example_rows import example_rows
from pav.tasks.report.examples import ExampleTables, worked_examples
from pav.tasks.report.facts import config_words
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.limits import limits
from pav.tasks.report.prover_figures import prover_figures
from pav.tasks.report.scope import Scope, scope_of


def report_context(run_id: str, inputs: ReportInputs) -> dict[str, Any]:
    """Return everything the page shows."""
    scope = scope_of(inputs)
    return {
        **head_part(run_id, inputs, scope),
        **claims_part(inputs, scope),
        **_search_part(inputs),
        **_examples_part(inputs),
        **_labels_part(inputs),
        **_verifiers_part(inputs),
        **_arms_part(inputs),
        **_run_part(inputs),
    }


def head_part(run_id: str, inputs: ReportInputs, scope: Scope) -> dict[str, Any]:
    """Return title, task, what is warned of, the terms, and where the page comes from."""
    return {
        "title": "Evaluation of process advantage verifiers",
        "task": report_words.task_words(inputs),
        "question": report_words.question_words(),
        "cautions": scope.cautions,
        "terms": report_words.terms(inputs),
        "tiles": report_words.tiles(inputs),
        "byline": _byline(inputs),
        "facts": _facts(run_id, inputs),
    }


def _byline(inputs: ReportInputs) -> list[str]:
    """Return date, config, problems and code in the fewest words; the rest stands at the end."""
    made = inputs.results["facts"]
    return [
        made["data_until"][:10],
        f"config {config_words(made['config'], made['changed_settings'])}",
        f"{inputs.num_test_problems} test problems, {_counted(inputs.num_pipeline_seeds)}",
        _code_words(made),
    ]


def _counted(seeds: int) -> str:
    return f"{seeds} pipeline seed{'' if seeds == 1 else 's'}"


def _code_words(made: Mapping[str, Any]) -> str:
    commit = f", commit {made['commit']}" if made["commit"] else ""
    return f"pav {made['version']}{commit}"


def _facts(run_id: str, inputs: ReportInputs) -> list[tuple[str, str]]:
    """Return date, code, config, problems, seeds, machine and cost, each with its name."""
    made = inputs.results["facts"]
    work = sum(inputs.results["unit_seconds"].values())
    return [
        ("Data made", f"{_moment(made['data_from'])} to {_moment(made['data_until'])} UTC"),
        ("Config", config_words(made["config"], made["changed_settings"])),
        ("Problems", _problem_words(inputs)),
        ("Repetitions", _seed_words(inputs)),
        ("Cost", report_words.cost_words(inputs.stages, inputs.results["wall_seconds"], work)),
        ("Run", run_id),
        ("Code", _code_words(made)),
        ("Page written", f"{_moment(made['written_at'])} UTC, on {made['machine']}"),
    ]


def _moment(text: str) -> str:
    """Return an ISO time as date, hour and minute."""
    return text[:16].replace("T", " ")


def _problem_words(inputs: ReportInputs) -> str:
    splits = dict(inputs.problems["split"].value_counts().iter_rows())
    named = ("train", "validation", "test")
    counted = ", ".join(f"{splits[name]:,} {name}" for name in named if name in splits)
    return f"{inputs.settings.problems.domain}: {counted}"


def _seed_words(inputs: ReportInputs) -> str:
    searches = sorted({int(arm["num_search_seeds"]) for arm in inputs.arms})
    return (
        f"{_counted(inputs.num_pipeline_seeds)} (labels, verifiers, search); "
        f"{' or '.join(map(str, searches))} search seed{'' if searches == [1] else 's'} an arm"
    )


def claims_part(inputs: ReportInputs, scope: Scope) -> dict[str, Any]:
    """Return comparisons, compute ratios, and what coverage the intervals have."""
    results, level = inputs.results, f"{100 * inputs.settings.report.confidence:g}%"
    like = [row for row in results["comparisons"] if row["like_for_like"]]
    # The heading of these says what their labels end with.
    rest = [
        {**row, "label": str(row["label"]).removesuffix(" (final picks differ)")}
        for row in results["comparisons"]
        if not row["like_for_like"]
    ]
    groups = [
        ("Like for like", "both arms pick with likelihood, or both without", like),
        ("Final picks differ", "one arm picks with likelihood, the other without", rest),
    ]
    others = [("", "", results["other_comparisons"])]
    confidence = inputs.settings.report.confidence
    return {
        "protocol": report_words.protocol(inputs, scope),
        "level": level,
        "claim_table": claim_table(groups, scope, confidence=confidence),
        "pick_note": report_words.pick_note(inputs),
        "other_table": claim_table(others, scope, confidence=confidence),
        "compute_table": report_arm_tables.compute_table(
            results["compute"] if scope.is_judged else [],
            caption="Cost of best-of-N over the cost at which the beam's curve first reaches its "
            "accuracy (linear in the logarithm). Above 1: the beam is cheaper. "
            "All tokens: generated ones and those that verifiers read. The interval is of the "
            "ratio of candidates, over problems. The paper reports 1.5 to 5 by beam width.",
        ),
        "coverage_table": report_tables.coverage_table(
            results["coverage"],
            caption="Share of simulated comparisons, in percent, whose interval holds the true "
            f"difference. The nominal share is {level}.",
        ),
    }


def _search_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return the figures of search and what limits it."""
    return {
        "search_figures": report_figures.search_figures(inputs),
        "difference_panels": report_figures.difference_panels(inputs),
        "sign_colours": report_figures.SIGN_COLOURS,
        "prover_figures": prover_figures(inputs),
        "pick_table": _pick_table(inputs),
        "limits": limits(inputs),
        "limit_figures": report_figures.limit_figures(inputs),
    }


def _pick_table(inputs: ReportInputs) -> report_tables.Table | None:
    """Return the main beam's accuracy by each rule of the final pick, where it was run."""
    arms = inputs.select("beam", "pav", inputs.main_prover)
    if not arms:
        return None
    caption = (
        f"Accuracy in % of {arm_label(arms[0])}: the same beams, picked from by each rule. "
        f"{report_figures.mean_over(inputs, arms)}. Validation problems chose."
    )
    return report_arm_tables.pick_table(arms, list(FINAL_PICKS), caption=caption)


def _examples_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return the worked examples, laid out as rows of cells."""
    solver = solver_of(domain_key(inputs.settings))
    tables = ExampleTables(inputs.problems, inputs.solutions, inputs.scores, solver)
    examples = worked_examples(
        tables,
        count=inputs.settings.report.num_examples,
        main_k=inputs.settings.evaluate.main_k,
    )
    note = "" if examples else "This run has no held-out solution that every verifier scored."
    return {"examples": [example_rows(example) for example in examples], "example_note": note}


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
    """Return the verifiers' metrics, calibration, drift and training curves."""
    caption = (
        "Problems that no verifier was trained on, pipeline seeds pooled; prefixes are those that "
        "the verifier scored and that have a label. The Brier score has the labels' own sampling "
        "variance taken off."
    )
    results = inputs.results
    return {
        "verifier_table": report_tables.verifier_table(results["verifiers"], caption=caption),
        "calibration_words": report_verifier_words.calibration_words(results["worst_bins"]),
        "drift_words": report_verifier_words.drift_words(results["score_drift"]),
        "verifier_figures": report_figures.verifier_figures(inputs),
        "training_figures": report_figures.training_figures(inputs),
    }


def _arms_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return every arm with its cost: flat for artifacts, grouped for the page."""
    caption = (
        f"Mean over {inputs.num_test_problems} test problems and the seeds named beside each arm; "
        f"{100 * inputs.settings.report.confidence:g}% intervals over problems, for these "
        "verifiers. Tokens and time are per problem; generated tokens include discarded "
        f"candidates. {DASH}: does not apply."
    )
    return {
        "arm_table": report_arm_tables.arm_table(inputs.arms, caption=caption),
        "arm_columns": report_arm_tables.GROUP_COLUMNS,
        "arm_groups": report_arm_tables.arm_groups(inputs.arms),
    }


def _run_part(inputs: ReportInputs) -> dict[str, Any]:
    """Return what the run reused and made, its time, versions and settings."""
    made = inputs.results["facts"]
    return {
        "version": made["version"],
        "versions": ", ".join(f"{name} {version}" for name, version in made["versions"].items()),
        "settings_text": "\n".join(report_words.settings_lines(inputs.settings.model_dump())),
        "dataset_table": report_tables.dataset_table(inputs.stages),
        "timing_table": report_tables.timing_table(
            inputs.stages,
            unit_seconds=inputs.results["unit_seconds"],
            device_hour_price=inputs.settings.runner.device_hour_price,
        ),
    }
