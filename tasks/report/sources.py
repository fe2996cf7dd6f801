"""Gathers what a report is made from: the data sets of one run and what they come to."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pav.models.domains import domain_key, solver_of
from pav.models.domains.kind import Solver
from pav.models.verifiers.metrics import metrics_table
from pav.models.verifiers.score_checks import score_drift, worst_bins
from pav.tasks.database.runs import FinishedRun, results_path
from pav.tasks.report.facts import run_facts
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.results import search_summary
from pav.tasks.report.truth import truth_check
from pav.tasks.store.manifests import holding, read_tables
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.store.stage_report import StageReport
from pav.tasks.store.store import MissingFileError, Store

# Data set -> the parts of the pipeline whose units hold it.
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "problems": ("problems",),
    "solutions": ("sample",),
    # A tree search labels prefixes that no sampled solution passes through.
    "prefixes": ("sample", "label"),
    "solution_prefixes": ("sample",),
    "label_blocks": ("label",),
    "training_runs": ("pretrain", "train"),
    "scores": ("train",),
    "search_results": ("choose", "evaluate"),
    "final_picks": ("choose", "evaluate"),
}


def gather_inputs(
    store: Store, run: FinishedRun, *, stages: Sequence[StageReport], wall_seconds: float
) -> ReportInputs:
    """Return the data sets of a finished run with its results, ready for the report.

    `stages` and `wall_seconds` are of the command that asks. Where it made nothing, those of the
    command that did are kept: a second look at a run has not made it cheaper.
    """
    stages, wall_seconds = first_cost(store, run.run_id, stages=stages, wall_seconds=wall_seconds)
    confidence = run.settings.report.confidence
    tables = {
        name: read_tables(
            store, holding([m for part in parts for m in run.manifests[part]], name), name
        )
        for name, parts in _SOURCES.items()
    }
    tables["prefixes"] = tables["prefixes"].unique("prefix_id", keep="first", maintain_order=True)
    results = {
        "run_id": run.run_id,
        "settings": run.settings.model_dump(mode="json"),
        "wall_seconds": round(wall_seconds, 1),
        "unit_seconds": _unit_seconds(run),
        "stages": [_stage_row(stage) for stage in stages],
        "verifiers": metrics_table(tables["scores"], by=("verifier", "split")).to_dicts(),
        "never_solved": never_solved(tables),
        "truth": _truth(tables, _cut_from(store, run), solver_of(domain_key(run.settings))),
        "facts": run_facts(run),
        "worst_bins": worst_bins(tables["scores"]),
        "score_drift": score_drift(tables["scores"], confidence=confidence),
        **search_summary(run.settings, tables["search_results"], tables.pop("final_picks")),
    }
    return ReportInputs(
        settings=run.settings, results=_without_nan(results), stages=stages, **tables
    )


def never_solved(tables: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """Return problems for which no solution and no rollout is correct, whatever the policy."""
    solved = tables["solutions"].filter(pl.col("verdict") == "correct")["problem_id"]
    labelled = tables["prefixes"].join(tables["label_blocks"], on="prefix_id")
    counts = labelled.group_by("problem_id").agg(
        pl.col("num_rollouts").sum(), pl.col("num_correct").sum()
    )
    sampled = tables["problems"].join(
        tables["solutions"].group_by("problem_id").len("num_solutions"), on="problem_id"
    )
    return (
        sampled.join(counts, on="problem_id", how="left")
        .filter(~pl.col("problem_id").is_in(solved.implode()))
        .filter(pl.col("num_correct").fill_null(0) == 0)
        .select("problem_id", "question", "split", "num_solutions", "num_rollouts")
        .sort("split", "problem_id")
        .to_dicts()
    )


def _cut_from(store: Store, run: FinishedRun) -> pl.DataFrame:
    """Return the solutions that the run's prefixes are the first steps of."""
    manifests = [each for part in _SOURCES["prefixes"] for each in run.manifests[part]]
    columns = ("solution_id", "steps")
    return read_tables(store, holding(manifests, "solutions"), "solutions", columns=columns)


def _truth(
    tables: Mapping[str, pl.DataFrame], solutions: pl.DataFrame, solver: Solver | None
) -> dict[str, object] | None:
    """Return the check of labels; None where the domain has no exact solver."""
    if solver is None:
        return None
    labels = tables["label_blocks"]
    labelled = tables["prefixes"].join(labels, on="prefix_id", how="semi", maintain_order="left")
    prefixes = with_steps(labelled, solutions)
    return truth_check(tables["problems"], prefixes, labels, solver=solver).to_record()


def _unit_seconds(run: FinishedRun) -> dict[str, float]:
    """Return the seconds of workers that each part cost when it was made, in this run or before."""
    return {
        part: round(sum(m.cost.get("seconds", 0.0) for m in manifests), 1)
        for part, manifests in run.manifests.items()
    }


def first_cost(
    store: Store, run_id: str, *, stages: Sequence[StageReport], wall_seconds: float
) -> tuple[Sequence[StageReport], float]:
    """Return stages and wall time as given, or as an earlier report of the run has them."""
    if any(stage.made for stage in stages):
        return stages, wall_seconds
    try:
        earlier = json.loads(store.read_bytes(results_path(run_id)))
        kept = [_stage_of(row) for row in earlier["stages"]]
        seconds = float(earlier["wall_seconds"])
    except (MissingFileError, ValueError, KeyError, TypeError):
        return stages, wall_seconds
    return (kept, seconds) if any(stage.made for stage in kept) else (stages, wall_seconds)


def _stage_of(row: Mapping[str, Any]) -> StageReport:
    """Return the stage that `_stage_row` wrote."""
    return StageReport(
        stage=str(row["stage"]),
        total=int(row["total"]),
        reused=int(row["reused"]),
        made=int(row["made"]),
        seconds=float(row["seconds"]),
        datasets=tuple(row["data_sets"]),
        notes=tuple(row["notes"]),
    )


def _stage_row(stage: StageReport) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "data_sets": list(stage.datasets),
        "total": stage.total,
        "reused": stage.reused,
        "made": stage.made,
        "seconds": round(stage.seconds, 2),
        "notes": list(stage.notes),
    }


def _without_nan(value: Any) -> Any:
    """Return JSON values with None for numbers that do not exist."""
    if isinstance(value, Mapping):
        return {str(key): _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
