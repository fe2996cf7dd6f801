"""Figures of provers: the K of best-of-K, and the grid of alpha."""

from collections.abc import Sequence

from pav.models.labels.confidence import wilson_interval
from pav.tasks.report import difference_figures
from pav.tasks.report import search_figures as figures
from pav.tasks.report.arm_names import (
    ALPHA,
    Row,
    prover_label,
)
from pav.tasks.report.figures import SIGN_COLOURS, level_shown
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.plotting import Figure


def prover_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the sweep of K and the choice of alpha on validation problems."""
    return [*_k_figures(inputs), *_alpha_figures(inputs)]


def _k_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the difference to the Q beam against K at the most candidates, for several K."""
    found = [row for row in inputs.results["differences_to_q_beam"] if _is_best_of_k(row["first"])]
    most = max((row["first"]["num_samples"] for row in found), default=0)
    swept = [row for row in found if row["first"]["num_samples"] == most]
    if len(swept) < 2:
        return []
    swept.sort(key=lambda row: int(row["first"]["prover"][2:]))
    caption = (
        f"Paired difference to the Q beam at {most} candidates on {inputs.num_test_problems} test "
        f"problems; bars: {level_shown(inputs)} intervals over problems. {SIGN_COLOURS}"
    )
    title = "Strength of the Best-of-K prover"
    return [difference_figures.k_figure(swept, title=title, caption=caption)]


def _is_best_of_k(arm: Row) -> bool:
    return (arm["strategy"], arm["verifier"]) == ("beam", "pav") and arm["prover"].startswith("bo")


def _alpha_figures(inputs: ReportInputs) -> list[Figure]:
    """Return validation accuracy against alpha, where several alphas were tried."""
    rows = _alpha_rows(inputs)
    if len(rows) < 2:
        return []
    chosen = sorted(
        {
            float(row["alpha"])
            for row in inputs.results["choices"]
            if (row["strategy"], row["prover"]) == ("beam", inputs.main_prover)
        }
    )
    seeds = inputs.num_pipeline_seeds
    caption = (
        f"Mean over {rows[0]['num_problems']} validation problems and {seeds} pipeline "
        f"seed{'' if seeds == 1 else 's'}, {rows[0]['num_samples']} candidates, prover "
        f"{prover_label(inputs.main_prover)}; bars: {level_shown(inputs)} Wilson intervals of that "
        f"many problems. {ALPHA} = 0 is the beam on Q. Test problems had no part in the choice."
    )
    title = f"Choice of {ALPHA} on validation problems"
    return [figures.alpha_figure(rows, chosen, title=title, caption=caption)]


def _alpha_rows(inputs: ReportInputs) -> Sequence[Row]:
    """Return validation accuracy with its interval for each alpha of the main prover."""
    rows = []
    for row in inputs.results["validation"]:
        if row["prover"] == inputs.main_prover:
            low, high = wilson_interval(
                row["accuracy"] * row["num_problems"],
                row["num_problems"],
                confidence=inputs.settings.report.confidence,
            )
            rows.append({**row, "low": float(low), "high": float(high)})
    return rows
