"""The look of every figure: a colour-blind safe palette, fonts, direct labels, SVG bytes."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

# Okabe and Ito's palette, told apart under every common colour blindness.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
YELLOW, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#222222", "#8A8F98"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, BLACK, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# Laid out in DejaVu Sans, wider than what browsers choose, so that no label can overflow.
_PAGE_FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans'"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9AA0A6",
    "axes.labelcolor": "#333333",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "pav",
}


@dataclass(frozen=True)
class Figure:
    """One drawn figure: its SVG, and the words that stand under and for it."""

    name: str
    title: str
    caption: str
    svg: bytes

    @property
    def data_uri(self) -> str:
        """The SVG as an address that needs no file."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()


@dataclass(frozen=True)
class EndLabel:
    """The words at the right end of a line, at height `y` in data units."""

    y: float
    text: str
    colour: str


def draw(paint: Callable[[Axes], None], *, width: float = 5.6, height: float = 3.7) -> bytes:
    """Return as SVG what `paint` draws on fresh axes; sizes in inches."""
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        paint(canvas.subplots())
        sink = io.BytesIO()
        canvas.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    return sink.getvalue().decode().replace("'DejaVu Sans'", _PAGE_FONTS).encode()


def label_ends(axes: Axes, labels: Sequence[EndLabel], *, gap: float = 0.058) -> None:
    """Write each label right of the axes, moved apart until none covers another.

    `gap` is the least distance of two labels as a share of the axes' height.
    """
    low, high = axes.get_ylim()
    ordered = sorted(labels, key=lambda label: label.y)
    heights = spread([(label.y - low) / (high - low) for label in ordered], gap=gap)
    for label, height in zip(ordered, heights, strict=True):
        axes.annotate(
            label.text,
            xy=(1.0, (label.y - low) / (high - low)),
            xytext=(1.045, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            fontsize=8.5,
            color=label.colour,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": label.colour,
                "lw": 0.7,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
            zorder=3,
        )


def spread(heights: Sequence[float], *, gap: float) -> list[float]:
    """Return ascending heights, as near as can be, with neighbours at least `gap` apart."""
    groups: list[tuple[float, int]] = []
    for height in heights:
        groups.append((height, 1))
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], gap):
            (centre, count), (other, others) = groups[-2], groups[-1]
            groups[-2:] = [((centre * count + other * others) / (count + others), count + others)]
    return [
        centre + gap * (place - (count - 1) / 2)
        for centre, count in groups
        for place in range(count)
    ]


def _overlap(lower: tuple[float, int], upper: tuple[float, int], gap: float) -> bool:
    """Return whether two groups of labels, each around its centre, touch."""
    return upper[0] - lower[0] < gap * (lower[1] + upper[1]) / 2 - 1e-12


def percent_axis(axes: Axes, *, label: str = "accuracy") -> None:
    """Show the y axis, in shares of one, as percent."""
    axes.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0, decimals=0))
    axes.set_ylabel(label)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), max(high, 0.05))


def power_axis(axes: Axes, ticks: Sequence[float], *, label: str) -> None:
    """Make the x axis logarithmic with the given ticks alone, written as plain numbers."""
    axes.set_xscale("log")
    axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(label)
