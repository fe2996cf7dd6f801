"""Curves of label error against rollouts by planner, with intervals over problems.

Shapes: P problems, R bootstrap resamples of them (row 0: all problems once).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pav.models.claims.intervals import bootstrap_weights

Floats = NDArray[np.float64]
# Two masks of the problems, of shape (P,).
Halves = tuple[Floats, Floats]


@dataclass(frozen=True)
class Sums:
    """Figures of one setting of a planner by problem, shape (P,) each.

    Squared errors of Q over its prefixes with the truth's own variance taken off, prefixes,
    rollouts, wrong solutions, and those whose first error was found.
    """

    squared: Floats
    prefixes: Floats
    rollouts: Floats
    wrong: Floats
    found: Floats


@dataclass(frozen=True)
class Point:
    """One setting of a planner, each figure of shape (R,): resamples of the problems."""

    setting: str
    rollouts_per_prefix: Floats
    error: Floats
    accuracy: Floats


def resamples(num_problems: int, num_resamples: int, *, seed: int) -> Floats:
    """Return weights of shape (R, P): all problems once, then bootstrap resamples."""
    drawn = bootstrap_weights(num_problems, num_resamples, seed=seed)
    return np.concatenate([np.full((1, num_problems), 1 / num_problems), drawn])


def halves(num_problems: int, *, seed: int) -> Halves:
    """Return two masks of shape (P,) that part the problems at random, each 1 where the other is 0.

    Of an odd number one half has one more.
    """
    places = np.random.default_rng(seed).permutation(num_problems)
    first = (places % 2).astype(np.float64)
    return first, 1 - first


def point(setting: str, sums: Sums, weights: Floats) -> Point:
    """Return root-mean-square error of Q, first-error accuracy and price of one setting.

    NaN where the problems that count have no prefix, or no wrong solution.
    """
    prefixes = weights @ sums.prefixes
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_square = np.maximum(weights @ sums.squared / prefixes, 0.0)
        return Point(
            setting, weights @ sums.rollouts / prefixes, np.sqrt(mean_square),
            (weights @ sums.found) / (weights @ sums.wrong),
        )  # fmt: skip


def equal_price(
    settings: Mapping[str, Sums], reference: Sums, weights: Floats, *, figure: str, parts: Halves
) -> Floats:
    """Return a planner's rollouts as a share of the reference's where both are as good, (R,).

    Which of its settings make up the curve is chosen on one half of the problems and the price read
    off on the other, both ways; the mean of both is taken in logarithms. Otherwise a planner with
    many settings would show its luckiest one, while the reference has one.
    """
    shares = []
    for own, other in (parts, parts[::-1]):
        chosen = frontier([point(*each, other[None, :]) for each in settings.items()], figure)
        points = [point(name, settings[name], weights * own) for name in chosen]
        fixed = point("", reference, weights * own)
        reached = rollouts_at(points, getattr(fixed, figure), figure=figure)
        shares.append(reached / fixed.rollouts_per_prefix)
    return np.asarray(np.sqrt(shares[0] * shares[1]))


def frontier(points: Sequence[Point], figure: str) -> list[str]:
    """Return the settings that no cheaper one is as good as on all problems, the cheapest first."""
    best: list[Point] = []
    for each in sorted(points, key=lambda each: float(each.rollouts_per_prefix[0])):
        height = _height(getattr(each, figure), figure)[0]
        if not best or height > _height(getattr(best[-1], figure), figure)[0]:
            best.append(each)
    return [each.setting for each in best]


def rollouts_at(points: Sequence[Point], height: Floats, *, figure: str) -> Floats:
    """Return the rollouts per prefix at which a curve first reaches a figure, shape (R,).

    Between settings the curve is taken as a straight line in the logarithms (`error`), or in the
    logarithm of rollouts (`accuracy`). NaN where it is not reached; never less than the cheapest
    setting.
    """
    rollouts = np.stack([each.rollouts_per_prefix for each in points])
    reached = np.stack([_height(getattr(each, figure), figure) for each in points])
    wanted = _height(height, figure)
    return np.array(
        [
            _first_crossing(np.log(rollouts[:, each]), reached[:, each], wanted[each])
            for each in range(len(wanted))
        ]
    )


def interval(values: Floats, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the figure on all problems and its percentile interval over the resamples.

    NaN where it does not exist on all problems, or in too many resamples for the interval.
    """
    tail = (1 - confidence) / 2
    # A resample in which the curve does not reach the figure counts as an infinite price.
    known = np.where(np.isnan(values[1:]), np.inf, values[1:])
    low, high = np.quantile(known, [tail, 1 - tail], method="nearest")
    return float(values[0]), float(low), float(high)


def _height(values: Floats, figure: str) -> Floats:
    """Return values such that more is better, errors as minus their logarithm."""
    return -np.log(np.maximum(values, 1e-9)) if figure == "error" else values


def _first_crossing(amounts: Floats, heights: Floats, wanted: float) -> float:
    """Return the amount at which a curve first reaches a height; NaN where it never does."""
    order = np.argsort(amounts)
    amounts, heights = amounts[order], heights[order]
    reached = np.flatnonzero(heights >= wanted)
    if not len(reached):
        return float("nan")
    after = int(reached[0])
    if after == 0:
        return float(np.exp(amounts[0]))
    share = (wanted - heights[after - 1]) / (heights[after] - heights[after - 1])
    return float(np.exp(amounts[after - 1] + share * (amounts[after] - amounts[after - 1])))
