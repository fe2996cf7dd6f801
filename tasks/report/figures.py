"""Which figures a report shows, with captions that name aggregation, seeds and settings."""

from collections.abc import Sequence

import polars as pl

from pav.models.verifiers.metrics import metrics_table
from pav.tasks.report import diagnostic_figures, difference_figures
from pav.tasks.report import search_figures as figures
from pav.tasks.report.arm_names import (
    Row,
    arm_label,
    points,
    seeds_label,
    verifier_label,
)
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.plotting import Figure

MOST_CALIBRATED = 6
SIGN_COLOURS = "Blue: gain; orange: loss; grey: the interval holds zero."


def provenance(inputs: ReportInputs, arms: Sequence[Row]) -> str:
    """Return aggregation, interval and seeds behind a figure of arms."""
    level = level_shown(inputs)
    return f"{mean_over(inputs, arms)}; bars: {level} intervals over problems."


def mean_over(inputs: ReportInputs, arms: Sequence[Row]) -> str:
    """Return what the points of a figure are means of."""
    seeds = " or ".join(sorted({seeds_label(arm) for arm in arms}))
    return f"Mean over {inputs.num_test_problems} test problems and {seeds}"


def level_shown(inputs: ReportInputs) -> str:
    """Return the confidence of the intervals, as a percentage."""
    """Return the level of intervals in words."""
    return f"{100 * inputs.settings.report.confidence:g}%"


def search_figures(inputs: ReportInputs) -> list[Figure]:
    """Return accuracy of the main arms against candidates and against generated tokens."""
    arms = _main_arms(inputs)
    if not arms:
        return []
    samples = inputs.select("best_of_n", "orm") or inputs.select("best_of_n", "q")
    source = provenance(inputs, arms)
    drawn = figures.curves(arms)
    if samples:
        drawn.append(figures.pass_curve(samples, label="pass@N of samples"))
    by_tokens = figures.curves(arms, x="generated_tokens")
    return [
        figures.accuracy_figure(
            drawn, name="accuracy", title="Accuracy against candidates",
            caption=f"{source} Points are moved sideways so that bars do not cover each other. "
            "Curves that coincide are told apart in the panels below. Dashed: share of problems "
            "with any right answer among N independent samples.",
        ),
        figures.cost_figure(
            by_tokens, name="tokens", title="Accuracy against generated tokens",
            caption=f"{source} Tokens per problem, discarded candidates included. Tokens that "
            "verifiers read are in the table of arms.",
        ),
    ]  # fmt: skip


def difference_panels(inputs: ReportInputs) -> list[Figure]:
    """Return one panel for each arm: its paired difference to the Q beam at every N."""
    found = sorted(
        inputs.results["differences_to_q_beam"], key=lambda row: int(row["first"]["num_samples"])
    )
    if not found:
        return []
    arms: dict[str, list[Row]] = {}
    for row in found:
        arms.setdefault(arm_label(row["first"]), []).append(row)
    span = difference_figures.shared_range(found)
    return [
        difference_figures.difference_panel(
            rows, name=f"against-q-{_slug(rows[0])}", title=_sentence(label), span=span,
            caption="; ".join(_difference_words(row) for row in rows),
        )
        for label, rows in arms.items()
    ]  # fmt: skip


def _slug(row: Row) -> str:
    """Return an arm's name as a file may have it."""
    words = (row["first"][name] for name in ("strategy", "verifier", "prover"))
    return "-".join(filter(None, words)).replace("_", "-")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _difference_words(row: Row) -> str:
    """Return a difference in words, for those who cannot see its panel."""
    numbers = [points(row[name], sign=True) for name in ("difference", "low", "high")]
    return f"N = {row['first']['num_samples']}: {numbers[0]} ({numbers[1]} to {numbers[2]})"


def limit_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the pass of the candidates against the pick, and each verifier's AUC by step."""
    counts = sorted({int(arm["num_samples"]) for arm in inputs.arms} - {1})[-2:]
    arms = [arm for arm in _main_arms(inputs) if arm["num_samples"] in counts]
    found = []
    if arms:
        caption = (
            "Between the two marks lies what a perfect final pick would add. "
            f"Number: candidates. {mean_over(inputs, arms)}."
        )
        found.append(
            figures.pick_figure(
                arms, title="Held by the candidates, taken by the pick", caption=caption
            )
        )
    by_step = metrics_by_step(inputs.scores)
    if by_step:
        found.append(
            diagnostic_figures.auc_figure(
                by_step, title="AUC of verifiers by number of steps",
                caption=f"{_held_out(inputs)} A prefix with c of n right rollouts counts as c "
                "right and n - c wrong ones; a finished solution as its verdict.",
            )
        )  # fmt: skip
    return found


def metrics_by_step(scores: pl.DataFrame) -> Sequence[Row]:
    """Return metrics by verifier and number of steps, where both classes occur."""
    if scores.is_empty():
        return []
    table = metrics_table(scores, by=("verifier", "num_steps"))
    return table.filter(pl.col("auc").is_not_nan()).to_dicts() if table.width > 2 else []


def label_figures(inputs: ReportInputs) -> list[Figure]:
    """Return values by number of steps, and a label's error against its number of rollouts."""
    labels = inputs.labels()
    if labels.is_empty():
        return []
    source = (
        f"{labels.height:,} distinct prefixes of training and held-out solutions, labelled by the "
        f"base policy; {inputs.settings.label.num_rollouts} rollouts asked of each, "
        f"{_seeds(inputs.label_blocks['seed'].unique().sort().to_list())}."
    )
    return [
        diagnostic_figures.values_figure(
            labels, title="Values of labels by number of steps", caption=source
        ),
        diagnostic_figures.noise_figure(
            labels, title="How exact a label is",
            caption=f"{source} Root of the mean squared standard error over prefixes; an advantage "
            "is a difference of two labels. Dashed: spread of the true values between prefixes.",
        ),
    ]  # fmt: skip


def verifier_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the reliability of each verifier on held-out problems."""
    found = []
    for name in sorted(inputs.scores["verifier"].unique())[:MOST_CALIBRATED]:
        mine = inputs.scores.filter((pl.col("verifier") == name) & (pl.col("num_rollouts") > 0))
        if mine.is_empty():
            continue
        source = f"{mine.height:,} labelled step ends. {_held_out(inputs)}"
        caption = f"{source} Bars: how many fall in each bin."
        title = verifier_label(name)
        found.append(
            diagnostic_figures.reliability_figure(mine, verifier=name, title=title, caption=caption)
        )
    return found


def training_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the losses of the policy's and of each verifier's training."""
    found = []
    for name in inputs.training_runs["name"].unique(maintain_order=True):
        mine = inputs.training_runs.filter(pl.col("name") == name)
        seeds = mine["pipeline_seed"].drop_nulls().unique().sort().to_list()
        lines = "" if len(seeds) == 1 else ", a line each"
        caption = (
            f"Soft-label cross-entropy, nats; pipeline seed {', '.join(map(str, seeds))}{lines}."
        )
        if name not in inputs.scores["verifier"]:
            caption = "Next-token cross-entropy on the solver's paths, nats."
        found.append(
            diagnostic_figures.training_figure(
                mine, name=name, title=verifier_label(name), caption=caption
            )
        )
    return found


def _main_arms(inputs: ReportInputs) -> list[Row]:
    """Return the arms of the claims: PAV beam with the main prover, Q beam, ORMs, product of Q."""
    return [
        *inputs.select("beam", "pav", inputs.main_prover),
        *inputs.select("beam", "q"),
        *inputs.better_orm(),
        *inputs.select("best_of_n", "q_product"),
        *inputs.select("best_of_n", "orm_likely"),
    ]


def _held_out(inputs: ReportInputs) -> str:
    """Return which problems verifiers are measured on."""
    splits = " and ".join(sorted(inputs.scores["split"].unique()))
    seeds = _seeds(inputs.scores["pipeline_seed"].unique().sort().to_list())
    return f"Problems of {splits}, never trained on; {seeds}."


def _seeds(seeds: Sequence[int]) -> str:
    """Return pipeline seeds in words."""
    if len(seeds) == 1:
        return f"pipeline seed {seeds[0]}"
    return f"pipeline seeds {', '.join(map(str, seeds))} pooled"
