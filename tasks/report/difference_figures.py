"""Figures of paired differences: one small panel for each arm, and the Best-of-K provers."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from pav.tasks.report.arm_names import MINUS, Row
from pav.tasks.report.plotting import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    TEXT,
    Figure,
    draw,
    power_axis,
    round_ticks,
)


def sign_colour(row: Row) -> str:
    """Return the colour of a difference: a gain's, a loss's, or that of one not shown."""
    if not row["excludes_zero"]:
        return GREY
    return BLUE if row["difference"] > 0 else ORANGE


def shared_range(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the least range that holds every interval and zero, with a margin."""
    low = min(0.0, *(float(row["low"]) for row in rows))
    high = max(0.0, *(float(row["high"]) for row in rows))
    margin = 0.06 * max(high - low, 0.01)
    return low - margin, high + margin


def difference_panel(
    rows: Sequence[Row], *, name: str, title: str, span: tuple[float, float], caption: str
) -> Figure:
    """Return one arm's differences against the number of candidates; `span` is of all panels."""
    xs = [float(row["first"]["num_samples"]) for row in rows]

    def paint(axes: Axes) -> None:
        _paint_differences(axes, xs, rows)
        axes.set_ylim(*span)
        axes.set_xlim(xs[0] / 1.8, xs[-1] * 1.8)
        power_axis(axes, xs, label="candidates N")
        axes.set_xlim(xs[0] / 1.8, xs[-1] * 1.8)

    return Figure(name, title, caption, draw(paint, width=2.5, height=1.9))


def k_figure(rows: Sequence[Row], *, title: str, caption: str) -> Figure:
    """Return the difference to the Q beam of beams with Best-of-K provers, against K."""
    xs = [float(str(row["first"]["prover"])[2:]) for row in rows]

    def paint(axes: Axes) -> None:
        _paint_differences(axes, xs, rows)
        axes.set_ylim(*shared_range(rows))
        power_axis(axes, xs, label="K of the Best-of-K prover (log scale)")

    return Figure("best-of-k", title, caption, draw(paint, width=4.8, height=3.2))


def signed_points(difference: float, _: float = 0.0) -> str:
    """Return a difference of shares in points with its sign, as a tick shows it."""
    number = round(100 * difference, 6)
    return f"{number:+g}".replace("-", MINUS) if number else "0"


def _paint_differences(axes: Axes, xs: Sequence[float], rows: Sequence[Row]) -> None:
    """Draw each difference with its interval, coloured by sign, about a line at zero."""
    axes.axhline(0, color=TEXT, lw=1)
    axes.plot(xs, [row["difference"] for row in rows], color=PALE, lw=1.4)
    for x, row in zip(xs, rows, strict=True):
        below = max(0.0, row["difference"] - row["low"])
        above = max(0.0, row["high"] - row["difference"])
        axes.errorbar(
            [x], [row["difference"]], yerr=[[below], [above]], color=sign_colour(row),
            marker="o", elinewidth=1.4, capsize=2.5,
        )  # fmt: skip
    axes.yaxis.set_major_locator(round_ticks(5))
    axes.yaxis.set_major_formatter(signed_points)
    axes.set_ylabel("points")
