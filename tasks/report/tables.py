"""The report's tables as rows of text; the HTML page and Prefect's artifacts show the same ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pav.tasks.report.arm_names import DASH, Row, amount, points, verifier_label
from pav.tasks.store.stage_report import StageReport


@dataclass(frozen=True)
class Table:
    """Rows of text under columns; `text_columns` are those that are words, not numbers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: tuple[int, ...] = (0,)
    caption: str = ""


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


def timing_table(
    stages: Sequence[StageReport],
    *,
    unit_seconds: Mapping[str, float] | None = None,
    device_hour_price: float = 0.0,
) -> Table:
    """Return the seconds of work of each stage: in this run, and of its units whenever made.

    The price of all units is told where a device-hour has one.
    """
    ever = unit_seconds or {}
    rows = [
        (stage.stage, stage.made, stage.seconds, ever.get(stage.stage, stage.seconds))
        for stage in stages
    ]
    rows.append(("all", sum(r[1] for r in rows), sum(r[2] for r in rows), sum(r[3] for r in rows)))
    caption = "Seconds of work, summed over workers. The last column counts reused units too."
    if device_hour_price:
        price = device_hour_price * rows[-1][3] / 3600
        caption += f" All its units cost {price:.2f} at {device_hour_price:g} a device-hour."
    columns = ("stage", "units made", "seconds in this run", "seconds of all its units")
    shown = tuple(
        (name, str(made), f"{now:,.1f}", f"{then:,.1f}") for name, made, now, then in rows
    )
    return Table("timings", columns, shown, caption=caption)


def unsolved_table(unsolved: Sequence[Row]) -> Table:
    """Return problems that no solution and no rollout solved, the first of them by name."""
    columns = ("question", "split", "solutions", "rollouts")
    rows = tuple(
        (
            str(row["question"]),
            str(row["split"]),
            str(row["num_solutions"]),
            str(row["num_rollouts"] or 0),
        )
        for row in unsolved[:_MOST_UNSOLVED]
    )
    more = len(unsolved) - len(rows)
    return Table("never-solved", columns, rows, (0, 1), f"and {more} more" if more else "")


_MOST_UNSOLVED = 40


def truth_table(truth: Row) -> Table:
    """Return what the exact solver says of the labelled prefixes."""
    columns = ("prefix", "prefixes", "rollouts", "with a right rollout", "share %")
    rows = tuple(
        (
            str(row["kind"]),
            f"{row['num_prefixes']:,}",
            f"{row['num_rollouts']:,}",
            f"{row['num_with_correct']:,}",
            points(row["num_with_correct"] / row["num_prefixes"]),
        )
        for row in truth["rows"]
    )
    return Table("truth", columns, rows)


def coverage_table(simulated: Sequence[Row], *, caption: str) -> Table:
    """Return how often each kind of interval held the truth in simulation, percent."""
    kinds = ("over_problems", "over_seeds", "over_both", "resampled_both")
    columns = ("pipeline seeds", "problems", "spread of seeds (logits)", *map(_spaced, kinds))
    rows = tuple(
        (
            str(row["num_seeds"]),
            str(row["num_problems"]),
            f"{row['seed_sd_logits']:g}",
            *(points(row.get(kind)) for kind in kinds),
        )
        for row in simulated
    )
    return Table("coverage", columns, rows, (), caption)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _decimals(number: float | None) -> str:
    """Return three decimals, a dash where there is none."""
    return DASH if number is None or number != number else f"{number:.3f}"
