"""The report's tables as rows of text; the HTML page and Prefect's artifacts show the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from pav.tasks.arm_labels import (
    DASH,
    Row,
    amount,
    arm_label,
    pick_label,
    points,
    seeds_label,
    verifier_label,
)
from pav.tasks.planning import StageReport
from pav.tasks.truth_check import TruthCheck


@dataclass(frozen=True)
class Table:
    """Rows of text under columns; `text_columns` are those that are words, not numbers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: tuple[int, ...] = (0,)
    caption: str = ""


def arm_table(arms: Sequence[Row], *, caption: str) -> Table:
    """Return every arm with accuracy, its interval, the pass of its candidates and its cost."""
    columns = (
        "arm", "N", "alpha", "final pick", "accuracy %", "interval", "pass %", "generated tokens",
        "scored tokens", "seconds", "seeds",
    )  # fmt: skip
    rows = tuple(
        (
            arm_label(arm),
            str(arm["num_samples"]),
            f"{arm['alpha']:g}" if arm["verifier"] == "pav" else DASH,
            pick_label(str(arm["final_pick"] or DASH)),
            points(arm["accuracy"]),
            f"{points(arm['low'])} to {points(arm['high'])}",
            points(arm["pass_rate"]),
            amount(arm["generated_tokens"]),
            amount(arm["scored_tokens"]),
            _seconds(arm["seconds"]),
            seeds_label(arm),
        )
        for arm in arms
    )
    return Table("arms", columns, rows, (0, 3, 10), caption)


def verifier_table(metrics: Sequence[Row], *, caption: str) -> Table:
    """Return AUC, Brier score and calibration error of each verifier on held-out problems."""
    columns = ("verifier", "split", "prefixes", "AUC", "Brier score", "ECE", "ECE, deciles")
    rows = tuple(
        (
            verifier_label(str(row["verifier"])),
            str(row.get("split", DASH)),
            amount(row["num_prefixes"]),
            *(_decimals(row[name]) for name in ("auc", "brier", "ece", "ece_deciles")),
        )
        for row in metrics
    )
    return Table("verifiers", columns, rows, (0, 1), caption)


def dataset_table(stages: Sequence[StageReport]) -> Table:
    """Return for each named data set whether it was reused or made."""
    columns = ("data set", "stage", "units", "reused", "made", "this run")
    rows = tuple(
        (
            name,
            stage.stage,
            str(stage.total),
            str(stage.reused),
            str(stage.made),
            "reused" if not stage.made else "made" if not stage.reused else "partly reused",
        )
        for stage in stages
        for name in stage.datasets
    )
    return Table("datasets", columns, rows, (0, 1, 5))


def timing_table(stages: Sequence[StageReport]) -> Table:
    """Return the seconds of work that each stage's made units took."""
    total = sum(stage.seconds for stage in stages)
    rows = [(stage.stage, str(stage.made), f"{stage.seconds:,.1f}") for stage in stages]
    caption = "Seconds of work in units made by this run, summed over workers; reused units cost 0."
    rows.append(("all", str(sum(stage.made for stage in stages)), f"{total:,.1f}"))
    columns = ("stage", "units made", "seconds of work")
    return Table("timings", columns, tuple(rows), caption=caption)


def truth_table(check: TruthCheck) -> Table:
    """Return what the exact solver says of the labelled prefixes."""
    columns = ("prefix", "prefixes", "rollouts", "with a right rollout", "share %")
    rows = tuple(
        (
            row.kind,
            f"{row.num_prefixes:,}",
            f"{row.num_rollouts:,}",
            f"{row.num_with_correct:,}",
            points(row.num_with_correct / row.num_prefixes),
        )
        for row in check.rows
    )
    return Table("truth", columns, rows)


def _seconds(seconds: float | None) -> str:
    """Return seconds for each problem in a readable unit."""
    if seconds is None:
        return DASH
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _decimals(number: float | None) -> str:
    """Return three decimals, a dash where there is none."""
    return DASH if number is None or number != number else f"{number:.3f}"


def compute_table(ratios: Sequence[Row]) -> Table:
    """Return the compute ratios as they are in the results, a column for each key."""
    names = list(ratios[0]) if ratios else []
    rows = tuple(tuple(_cell(row.get(name)) for name in names) for row in ratios)
    text = tuple(place for place, name in enumerate(names) if isinstance(ratios[0].get(name), str))
    return Table("compute", tuple(name.replace("_", " ") for name in names), rows, text)


def _cell(value: object) -> str:
    """Return any value of the results as text."""
    if value is None:
        return DASH
    return f"{value:.3g}" if isinstance(value, float) else str(value)
