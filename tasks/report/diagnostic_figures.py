"""Figures of labels, verifiers and training: what limits the search, and by how much."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from pav.models.labels.confidence import wilson_interval
from pav.models.labels.estimators import value
from pav.models.verifiers.metrics import reliability_table
from pav.tasks.report.arm_names import Row, verifier_label
from pav.tasks.report.plotting import (
    BLACK,
    BLUE,
    COLOURS,
    GREY,
    GRID,
    MARKERS,
    ON_DARK,
    ON_LIGHT,
    ORANGE,
    TEXT,
    EndLabel,
    Figure,
    draw,
    label_ends,
    percent_axis,
)

# Edges of the classes of values; the two ends are exactly 0 and exactly 1.
_CLASSES = ("0", "up to ¼", "¼ to ½", "½ to ¾", "¾ to 1", "1")
# Five steps of one blue and a warm end, told apart in grey too.
_SHADES = ("#2B2D42", "#1F5A94", "#4C93C9", "#9CC9E3", "#F2D9A0", "#E69F00")


def value_classes(labels: pl.DataFrame) -> pl.DataFrame:
    """Return, for each number of steps, the share of labelled prefixes in each class of value.

    Args:
        labels: one row per prefix with num_steps, num_correct and num_rollouts.
    """
    share = pl.col("num_correct") / pl.col("num_rollouts")
    index = (
        pl.when(share <= 0).then(0).when(share <= 0.25).then(1).when(share <= 0.5).then(2)
        .when(share <= 0.75).then(3).when(share < 1).then(4).otherwise(5)
    )  # fmt: skip
    counted = (
        labels.filter(pl.col("num_rollouts") > 0)
        .group_by("num_steps", index.alias("value_class"))
        .len("num_prefixes")
    )
    total = pl.col("num_prefixes").sum().over("num_steps")
    return counted.with_columns(share=pl.col("num_prefixes") / total).sort(
        "num_steps", "value_class"
    )


def values_figure(labels: pl.DataFrame, *, title: str, caption: str) -> Figure:
    """Return the distribution of label values at each number of steps, as stacked bars."""
    classes = value_classes(labels)
    steps = classes["num_steps"].unique().sort().to_list()
    shares = {(row["num_steps"], row["value_class"]): row["share"] for row in classes.to_dicts()}

    def paint(axes: Axes) -> None:
        base = np.zeros(len(steps))
        for index, (name, shade) in enumerate(zip(_CLASSES, _SHADES, strict=True)):
            heights = np.array([shares.get((step, index), 0.0) for step in steps])
            axes.bar(range(len(steps)), heights, 0.72, bottom=base, color=shade, label=name)
            for place, (height, start) in enumerate(zip(heights, base, strict=True)):
                if height > 0.07:
                    ink = ON_DARK if sum(to_rgb(shade)) < 1.7 else ON_LIGHT
                    axes.text(
                        place, start + height / 2, f"{100 * height:.0f}", ha="center",
                        va="center", color=ink, fontsize=8.5,
                    )  # fmt: skip
            base += heights
        axes.set_xticks(range(len(steps)), [str(step) for step in steps])
        axes.set_xlabel("steps in the prefix (0 is the bare problem)")
        axes.grid(visible=False)
        percent_axis(axes, label="share of prefixes")
        handles, names = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1], names[::-1], title="value", loc="center left",
            bbox_to_anchor=(1.0, 0.5), alignment="left",
        )  # fmt: skip

    return Figure("values", title, caption, draw(paint))


def label_noise(labels: pl.DataFrame) -> tuple[float, float]:
    """Return the mean variance of one rollout at a prefix, and that of true values between them.

    Both are unbiased: q(1 - q) is estimated by v(1 - v) n / (n - 1), and the spread of the
    observed values is less their sampling variance.
    """
    used = labels.filter(pl.col("num_rollouts") > 1)
    if used.is_empty():
        return 0.0, 0.0
    count = used["num_rollouts"].to_numpy()
    share = value(used["num_correct"].to_numpy(), count)
    within = share * (1 - share) * count / (count - 1)
    between = float(np.var(share, ddof=1)) if len(share) > 1 else 0.0
    return float(within.mean()), max(0.0, between - float((within / count).mean()))


def noise_figure(labels: pl.DataFrame, *, title: str, caption: str) -> Figure:
    """Return the standard error of a label's value and advantage against the number of rollouts."""
    within, between = label_noise(labels)
    used = int(labels["num_rollouts"].max() or 1)  # type: ignore[arg-type]
    counts = np.arange(1, max(32, 2 * used) + 1)
    errors = np.sqrt(within / counts)

    def paint(axes: Axes) -> None:
        axes.plot(counts, errors, color=BLUE)
        axes.plot(counts, np.sqrt(2) * errors, color=ORANGE)
        axes.plot([used] * 2, [errors[used - 1], np.sqrt(2) * errors[used - 1]], "o", color=BLACK)
        axes.axvline(used, color=GREY, lw=0.8, ls=":")
        axes.set_xlim(1, counts[-1])
        axes.set_ylim(0, max(1.05 * np.sqrt(2 * within), 1.1 * np.sqrt(between), 0.01))
        axes.annotate(
            f"n = {used}", (used, axes.get_ylim()[1]), (4, -10), textcoords="offset points",
            fontsize=8.5, color=TEXT,
        )  # fmt: skip
        axes.axhline(np.sqrt(between), color=GREY, ls=(0, (4, 2)), lw=1.3)
        axes.set_xlabel("rollouts of each prefix")
        axes.set_ylabel("standard error (root mean square)")
        ends = [
            EndLabel(errors[-1], "error of a value", BLUE),
            EndLabel(np.sqrt(2) * errors[-1], "of an advantage", ORANGE),
            EndLabel(float(np.sqrt(between)), "spread of the\ntrue values", TEXT),
        ]
        label_ends(axes, ends, gap=0.09)

    return Figure("label-noise", title, caption, draw(paint))


def reliability_figure(scores: pl.DataFrame, *, verifier: str, title: str, caption: str) -> Figure:
    """Return observed shares of success against predicted ones, with how many rows each bin has.

    Args:
        scores: one verifier's labelled rows with score, num_correct and num_rollouts.
        verifier: enters the figure's name.
        title: of the figure.
        caption: of the figure.
    """
    labelled = scores.filter(pl.col("num_rollouts") > 0)
    bins = reliability_table(labelled["score"], labelled["num_correct"], labelled["num_rollouts"])
    rows = bins["num_prefixes"].to_numpy()
    predicted, observed = bins["mean_score"].to_numpy(), bins["mean_label"].to_numpy()
    # Each prefix counts as one trial, though it has more rollouts: the bars are never too narrow.
    low, high = wilson_interval(np.minimum(observed, 1.0) * rows, rows)

    def paint(axes: Axes) -> None:
        centres = (bins["bin"].to_numpy() + 0.5) / 10
        axes.bar(centres, 0.25 * rows / rows.max(), 0.092, color=GRID, zorder=0)
        axes.plot([0, 1], [0, 1], color=GREY, ls=(0, (4, 2)), lw=1)
        axes.errorbar(
            predicted, observed, yerr=np.maximum((observed - low, high - observed), 0.0),
            color=BLUE, marker="o", elinewidth=1.1, capsize=2.5,
        )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("predicted chance of success")
        axes.set_ylabel("observed share")

    return Figure(f"reliability-{verifier}", title, caption, draw(paint, width=3.7, height=3.2))


def auc_figure(rows: Sequence[Row], *, title: str, caption: str) -> Figure:
    """Return each verifier's AUC by number of steps; rows hold verifier, num_steps and auc."""
    names = sorted({str(row["verifier"]) for row in rows})

    def paint(axes: Axes) -> None:
        ends = []
        for place, name in enumerate(names):
            mine = sorted(
                (int(row["num_steps"]), float(row["auc"]))
                for row in rows
                if row["verifier"] == name and row["auc"] is not None
            )
            colour = COLOURS[place % len(COLOURS)]
            xs, ys = [point[0] for point in mine], [point[1] for point in mine]
            axes.plot(xs, ys, color=colour, marker=MARKERS[place % len(MARKERS)])
            ends.append(EndLabel(ys[-1], verifier_label(name), colour))
        axes.axhline(0.5, color=GREY, ls=(0, (4, 2)), lw=1)
        axes.set_xticks(sorted({int(row["num_steps"]) for row in rows}))
        axes.set_xlabel("steps in the prefix")
        axes.set_ylabel("AUC")
        label_ends(axes, ends)

    return Figure("auc-by-step", title, caption, draw(paint))


def training_figure(runs: pl.DataFrame, *, name: str, title: str, caption: str) -> Figure:
    """Return one training's losses against its steps, a thin line for each pipeline seed."""
    seeds = runs["pipeline_seed"].unique().sort().to_list()

    def paint(axes: Axes) -> None:
        for seed in seeds:
            # A policy's training belongs to no pipeline seed.
            mine = runs.filter(pl.col("pipeline_seed").eq_missing(seed)).sort("step")
            for column, colour in (("train_loss", BLUE), ("validation_loss", ORANGE)):
                known = mine.filter(pl.col(column).is_not_null() & pl.col(column).is_not_nan())
                label = column.replace("_loss", "") if seed == seeds[0] else "_"
                if not known.is_empty():
                    xs, ys = known["step"].to_numpy(), known[column].to_numpy()
                    axes.plot(xs, ys, color=colour, lw=1.4, label=label)
        axes.set_xlabel("optimiser step")
        axes.set_ylabel("loss")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=2)

    return Figure(f"training-{name}", title, caption, draw(paint, width=3.7, height=2.7))
