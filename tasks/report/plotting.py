"""The look of every figure: a colour-blind safe palette, light and dark, direct labels, SVG."""

import base64
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

# Okabe and Ito's palette, told apart under every common colour blindness.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
YELLOW, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#222222", "#8A8F98"
PAPER, AXIS, GRID, TEXT, PALE = "#FFFFFF", "#9AA0A6", "#E6E8EB", "#555555", "#C9CDD2"
# Words on a bar keep their colour in either scheme, so theirs is no other's.
ON_DARK, ON_LIGHT = "#FEFEFE", "#202020"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, BLACK, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# What each colour becomes where the reader's system asks for dark pages. The page's own dark
# background is that of `report.css`.
DARK = {
    BLUE: "#4FA8E0", ORANGE: "#F08A4B", GREEN: "#3FBF94", PURPLE: "#D387CE", BLACK: "#E6EDF3",
    GREY: "#9AA4AF", PAPER: "#0D1117", AXIS: "#6E7681", GRID: "#21262D", TEXT: "#B1BAC4",
    PALE: "#3D444D", "#2B2D42": "#6E7681", "#1F5A94": "#2A6CB0",
}  # fmt: skip

# Laid out in DejaVu Sans, wider than what browsers choose, so that no label can overflow.
_PAGE_FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans'"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "axes.edgecolor": AXIS,
    "axes.labelcolor": TEXT,
    "text.color": TEXT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
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


def draw(paint: Callable[[Axes], None], *, width: float = 5.0, height: float = 3.4) -> bytes:
    """Return as SVG what `paint` draws on fresh axes; sizes in inches.

    The default is half a page's width: words keep their size there and are legible on a phone.
    """
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        paint(canvas.subplots())
        sink = io.BytesIO()
        canvas.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    svg = sink.getvalue().decode().replace("'DejaVu Sans'", _PAGE_FONTS)
    return re.sub(r"(<svg [^>]*>)", rf"\1\n{_dark_style()}", svg, count=1).encode()


def _dark_style() -> str:
    """Return rules that swap the colours of an SVG where the reader prefers dark pages.

    They select by the colours that are written out, so a program that knows no such rules draws
    the light figure.
    """
    rules = "".join(
        f'[style*="{kind}: {light.lower()}"]{{{kind}:{dark} !important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    return f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"


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


def percent(share: float, _: float = 0.0) -> str:
    """Return a tick's share of one as percent, with the decimals that it has and no others."""
    return f"{round(100 * share, 6):g}%"


def percent_axis(axes: Axes, *, label: str = "accuracy") -> None:
    """Show the y axis, in shares of one, as percent with ticks at round numbers."""
    axes.yaxis.set_major_locator(round_ticks())
    axes.yaxis.set_major_formatter(percent)
    axes.set_ylabel(label)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), max(high, 0.05))


def round_ticks(most: int = 6) -> matplotlib.ticker.MaxNLocator:
    """Return ticks in steps of 1, 2 or 5 times a power of ten, so that no label is rounded."""
    return matplotlib.ticker.MaxNLocator(nbins=most, steps=[1, 2, 5, 10])


def power_axis(axes: Axes, ticks: Sequence[float], *, label: str) -> None:
    """Make the x axis logarithmic with the given ticks alone, written as plain numbers."""
    axes.set_xscale("log")
    axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(label)
