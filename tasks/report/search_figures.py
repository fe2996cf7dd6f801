"""Figures of search: accuracy against candidates, tokens and alpha, and the pick's loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pav.tasks.report.arm_names import ALPHA, Row, arm_label
from pav.tasks.report.plotting import (
    BLUE,
    COLOURS,
    GREY,
    MARKERS,
    ORANGE,
    PALE,
    EndLabel,
    Figure,
    draw,
    label_ends,
    percent,
    percent_axis,
    power_axis,
    round_ticks,
)


@dataclass(frozen=True)
class Curve:
    """One arm at several numbers of candidates, each point `x, middle, low, high`."""

    label: str
    points: tuple[tuple[float, float, float, float], ...]
    colour: str
    marker: str = "o"
    is_bound: bool = False


def curves(arms: Sequence[Row], *, x: str = "num_samples") -> list[Curve]:
    """Return one curve for each kind of arm, in order of first appearance; `x` names a column."""
    groups: dict[str, list[Row]] = {}
    for arm in arms:
        groups.setdefault(arm_label(arm), []).append(arm)
    found = []
    for label, rows in groups.items():
        place = _place(rows[0])
        values = tuple(sorted((float(row[x]), *_interval(row)) for row in rows))
        found.append(Curve(label, values, COLOURS[place], MARKERS[place]))
    return found


def _place(arm: Row) -> int:
    """Return an arm's place in the palette, the same in every figure."""
    if arm["strategy"] == "beam":
        return 1 if arm["verifier"] == "pav" else 0
    return {"orm": 2, "orm_likely": 3, "orm_seed": 5, "q_product": 6}.get(str(arm["verifier"]), 4)


def pass_curve(arms: Sequence[Row], *, label: str, x: str = "num_samples") -> Curve:
    """Return the share of problems with a right answer among the candidates, drawn as a bound."""
    rows = sorted((float(arm[x]), *(float(arm["pass_rate"]),) * 3) for arm in arms)
    return Curve(label, tuple(rows), GREY, "", is_bound=True)


def accuracy_figure(shown: Sequence[Curve], *, name: str, title: str, caption: str) -> Figure:
    """Return accuracy against the number of candidates."""
    ticks = sorted({point[0] for curve in shown for point in curve.points})
    label = "candidates N (log scale)"
    paint = partial(_paint_curves, shown=shown, ticks=ticks, label=label)
    return Figure(name, title, caption, draw(paint))


def cost_figure(shown: Sequence[Curve], *, name: str, title: str, caption: str) -> Figure:
    """Return accuracy against generated tokens for each problem, discarded candidates included."""
    highest = max(point[0] for curve in shown for point in curve.points)
    lowest = min(point[0] for curve in shown for point in curve.points)
    ticks = [tick for tick in _ROUND if lowest / 2 <= tick <= highest * 2]
    label = "generated tokens for each problem (log scale)"
    paint = partial(_paint_curves, shown=shown, ticks=ticks, label=label)
    return Figure(name, title, caption, draw(paint))


_ROUND = [base * 10**power for power in range(7) for base in (1, 3)]


def _interval(row: Row) -> tuple[float, float, float]:
    """Return accuracy, low and high of an arm."""
    return float(row["accuracy"]), float(row["low"]), float(row["high"])


def _paint_curves(
    axes: Axes, *, shown: Sequence[Curve], ticks: Sequence[float], label: str
) -> None:
    """Draw curves with error bars, side-stepped so that the bars do not cover each other."""
    for place, curve in enumerate(shown):
        shift = 1.0 if curve.is_bound else 1.035 ** (place - len(shown) / 2)
        xs = [point[0] * shift for point in curve.points]
        middles = [point[1] for point in curve.points]
        if curve.is_bound:
            axes.plot(xs, middles, color=curve.colour, linestyle=(0, (4, 2)), linewidth=1.3)
            continue
        below = [max(0.0, point[1] - point[2]) for point in curve.points]
        above = [max(0.0, point[3] - point[1]) for point in curve.points]
        axes.errorbar(
            xs, middles, yerr=(below, above), color=curve.colour, marker=curve.marker,
            elinewidth=1.1, capsize=2.5, capthick=1.1,
        )  # fmt: skip
    power_axis(axes, ticks, label=label)
    percent_axis(axes)
    label_ends(axes, [EndLabel(curve.points[-1][1], curve.label, curve.colour) for curve in shown])


def alpha_figure(
    rows: Sequence[Row], chosen: Sequence[float], *, title: str, caption: str
) -> Figure:
    """Return validation accuracy against alpha, the chosen values marked."""
    ordered = sorted((float(row["alpha"]), *_interval(row)) for row in rows)

    def paint(axes: Axes) -> None:
        _paint_points(axes, ordered, colour=BLUE)
        axes.set_xticks([row[0] for row in ordered])
        axes.set_xlabel(f"{ALPHA} (weight of the prover's advantage)")
        for row in ordered:
            if any(abs(row[0] - alpha) < 1e-9 for alpha in chosen):
                axes.plot(row[0], row[1], "o", ms=12, mfc="none", mec=ORANGE, mew=1.8)
                axes.annotate(
                    "chosen", (row[0], row[3]), (0, 6), textcoords="offset points",
                    ha="center", color=ORANGE, fontsize=8.5,
                )  # fmt: skip

    return Figure("alpha", title, caption, draw(paint))


def _paint_points(
    axes: Axes, ordered: Sequence[tuple[float, float, float, float]], *, colour: str
) -> None:
    """Draw one line with error bars."""
    axes.errorbar(
        [row[0] for row in ordered],
        [row[1] for row in ordered],
        yerr=(
            [max(0.0, row[1] - row[2]) for row in ordered],
            [max(0.0, row[3] - row[1]) for row in ordered],
        ),
        color=colour, marker="o", elinewidth=1.1, capsize=2.5,
    )  # fmt: skip
    percent_axis(axes)


def pick_figure(arms: Sequence[Row], *, title: str, caption: str) -> Figure:
    """Return, for each arm, what its finished candidates hold against what the pick takes."""
    names = [f"{arm_label(arm)}, {arm['num_samples']}" for arm in arms]

    def paint(axes: Axes) -> None:
        for place, arm in enumerate(reversed(arms)):
            axes.plot([arm["accuracy"], arm["pass_rate"]], [place] * 2, color=PALE, lw=4)
            axes.plot(arm["accuracy"], place, "o", color=BLUE, ms=7)
            axes.plot(arm["pass_rate"], place, "D", color=ORANGE, ms=6)
        axes.set_yticks(range(len(arms)), list(reversed(names)))
        axes.set_ylim(-0.6, len(arms) - 0.4)
        axes.xaxis.set_major_locator(round_ticks())
        axes.xaxis.set_major_formatter(percent)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("share of problems")
        axes.legend(
            handles=[
                Line2D([], [], color=BLUE, marker="o", ls="", label="picked answer is right"),
                Line2D([], [], color=ORANGE, marker="D", ls="", label="any finished candidate is"),
            ],
            loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2,
        )  # fmt: skip

    return Figure("pick", title, caption, draw(paint, height=0.9 + 0.27 * len(arms)))
