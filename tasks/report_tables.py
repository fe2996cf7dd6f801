"""The report's tables as rows of text; the HTML page and Prefect's artifacts show the same ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pav.tasks.arm_labels import (
    DASH,
    TIMES,
    Row,
    amount,
    arm_label,
    pick_label,
    points,
    verifier_label,
)
from pav.tasks.planning import StageReport


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
        "scored tokens", "time", f"seeds, pipeline {TIMES} search",
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
            f"{arm['num_pipeline_seeds']} {TIMES} {arm['num_search_seeds']}",
        )
        for arm in arms
    )
    return Table("arms", columns, rows, (0, 3), caption)


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


def compute_table(ratios: Sequence[Row], *, caption: str) -> Table:
    """Return what each beam needs to reach the better ORM's accuracy, as ratios above 1 if less."""
    columns = (
        "beam", "matches", "at accuracy %", "candidates needed", "ratio of candidates", "interval",
        "of generated tokens", "of all tokens", "of beam width",
    )  # fmt: skip
    # Everything reaches an accuracy of 0 at no cost, which is no ratio worth naming.
    ratios = [row for row in ratios if row["accuracy"] > 0]
    rows = tuple(
        (
            arm_label(dict(zip(_ARM, (*row["arm"].split(), ""), strict=False))),
            str(row["matches"]).replace("orm_seed", "ORM (seed)").replace("orm", "ORM"),
            points(row["accuracy"]),
            amount(row["candidates"]) if row["candidates"] else "not reached",
            _ratio(row["candidate_ratio"]),
            f"{_ratio(row['candidate_ratio_low'])} to {_ratio(row['candidate_ratio_high'])}",
            *(_ratio(row[f"{name}_ratio"]) for name in ("generated_tokens", "all_tokens", "width")),
        )
        for row in ratios
    )
    return Table("compute", columns, rows, (0, 1), caption)


_ARM = ("strategy", "verifier", "prover")


def comparison_table(comparisons: Sequence[Row], *, caption: str) -> Table:
    """Return paired differences in points with every interval."""
    columns = (
        "comparison",
        "difference",
        "over problems",
        "over seeds",
        "over both",
        "difference?",
    )
    rows = tuple(
        (
            str(row["label"]),
            points(row["difference"], sign=True),
            *(_range(row[f"{kind}low"], row[f"{kind}high"]) for kind in ("", "t_", "both_")),
            "yes" if row["excludes_zero"] else "not shown",
        )
        for row in comparisons
    )
    return Table("comparisons", columns, rows, (0, 5), caption)


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


def _ratio(number: float | None) -> str:
    """Return a ratio as a multiple; 0 and None stand for never."""
    return f"{number:.2f}{TIMES}" if number else "never"


def _range(low: float | None, high: float | None) -> str:
    return DASH if low is None else f"{points(low, sign=True)} to {points(high, sign=True)}"


def _seconds(seconds: float | None) -> str:
    """Return seconds for each problem in a readable unit."""
    if seconds is None:
        return DASH
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _decimals(number: float | None) -> str:
    """Return three decimals, a dash where there is none."""
    return DASH if number is None or number != number else f"{number:.3f}"
