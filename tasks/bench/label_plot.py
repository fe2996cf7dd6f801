"""The curves of `pav bench labels` as figures: error, or first errors missed, against rollouts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pav.tasks.report.plotting import (
    COLOURS,
    MARKERS,
    EndLabel,
    draw,
    label_ends,
    percent_axis,
    power_axis,
)

# A planner keeps its colour in both figures.
_PLANNERS = ("exhaustive", "adaptive, budget", "first pit", "adaptive, width",
             "adaptive, first error", "walk, n each",
             "walk, until right")  # fmt: skip
_TICKS = (2, 4, 8, 16, 32, 64, 128)
# Figure -> the planners that are for it.
_SHOWN = {"error": _PLANNERS[:4], "accuracy": (_PLANNERS[0], _PLANNERS[2], *_PLANNERS[4:])}


def curve_figures(figures: Mapping[str, Any]) -> dict[str, bytes]:
    """Return file name -> SVG, bars are the intervals over problems."""
    return {
        f"labels-{figure}.svg": draw(partial(_paint, curves=figures["curves"], figure=figure))
        for figure in _SHOWN
    }


def _paint(axes: Axes, *, curves: Mapping[str, Sequence[Mapping[str, Any]]], figure: str) -> None:
    ends = []
    for planner in _SHOWN[figure]:
        place = _PLANNERS.index(planner)
        points = envelope(curves[planner], figure)
        rollouts = [each["rollouts_per_prefix"][0] for each in points]
        middle, low, high = np.array([each[figure] for each in points]).T
        axes.errorbar(
            rollouts, middle, yerr=[middle - low, high - middle], color=COLOURS[place],
            marker=MARKERS[place], elinewidth=0.9,
        )  # fmt: skip
        ends.append(EndLabel(float(middle[-1]), planner, COLOURS[place]))
    power_axis(axes, _TICKS, label="rollouts per prefix (log scale)")
    if figure == "error":
        axes.set_ylabel("root-mean-square error of Q")
        axes.set_ylim(bottom=0)
    else:
        percent_axis(axes, label="first errors found")
    label_ends(axes, ends)


def envelope(points: Sequence[Mapping[str, Any]], figure: str) -> list[Mapping[str, Any]]:
    """Return the settings of a planner that no cheaper one is as good as, by rollouts."""
    sign = -1 if figure == "error" else 1
    best: list[Mapping[str, Any]] = []
    for each in sorted(points, key=lambda each: each["rollouts_per_prefix"][0]):
        if not best or sign * each[figure][0] > sign * best[-1][figure][0]:
            best.append(each)
    return best
