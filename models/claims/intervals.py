"""Intervals for means and paired differences: over problems, over pipeline seeds, over both.

Shapes: S pipeline seeds, P problems, R resamples, C columns (arms or differences).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from pav.models.claims.discordance import score_interval
from pav.models.errors import InputError

Floats = NDArray[np.float64]
# A bootstrap needs at least so many problems on which two arms differ. With 1 to 4 of 262 its
# nominal 95 % interval holds the truth 26 to 86 times in 100.
FEW_DISCORDANT = 20


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval at the nominal confidence."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies wholly above or wholly below zero."""
        return self.low > 0 or self.high < 0


def bootstrap_weights(num_items: int, num_resamples: int, *, seed: int) -> Floats:
    """Return the shares of each item in bootstrap resamples, shape (R, num_items), rows sum to 1.

    One set of resamples serves every arm and difference, which keeps them paired.
    """
    if num_items < 1:
        raise InputError("bootstrap: expected at least one problem, got none")
    random = np.random.default_rng(seed)
    drawn = random.integers(num_items, size=(num_resamples, num_items), dtype=np.int64)
    rows = np.arange(num_resamples, dtype=np.int64)[:, None] * num_items
    counts = np.bincount((drawn + rows).ravel(), minlength=num_resamples * num_items)
    return counts.reshape(num_resamples, num_items) / num_items


def over_problems(values: ArrayLike, weights: Floats, *, confidence: float = 0.95) -> Interval:
    """Return the percentile-bootstrap interval of a mean, values of shape (P,)."""
    return over_problems_many(np.asarray(values)[:, None], weights, confidence=confidence)[0]


def over_problems_many(
    values: ArrayLike, weights: Floats, *, confidence: float = 0.95
) -> list[Interval]:
    """Return one interval for each column of values of shape (P, C), all on the same resamples."""
    table = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(weights @ table, _tails(confidence), axis=0)
    return [
        Interval(float(mean), float(bottom), float(top))
        for mean, bottom, top in zip(table.mean(axis=0), low, high, strict=True)
    ]


def over_pairs(difference: ArrayLike, weights: Floats, *, confidence: float = 0.95) -> Interval:
    """Return the interval over problems of a paired difference, shape (..., P) of -1, 0 and 1.

    Where few problems are discordant, the interval is Tango's score interval of the problems' mean
    shares of wins and losses. Such a share varies less than a single pair, so the interval errs on
    the wide side.
    """
    table = _by_problem(difference)
    if not is_few(table):
        return over_problems(table.mean(axis=0), weights, confidence=confidence)
    wins, losses = ((table == sign).mean(axis=0).sum() for sign in (1, -1))
    low, high = score_interval(wins, losses, table.shape[1], confidence=confidence)
    return Interval(float(table.mean(axis=0).mean()), low, high)


def num_discordant(difference: ArrayLike) -> int:
    """Return the number of problems on which two arms ever differ, differences (..., P)."""
    return int(_by_problem(difference).any(axis=0).sum())


def is_few(difference: ArrayLike) -> bool:
    """Return whether two arms differ on too few problems to resample them."""
    return num_discordant(difference) < FEW_DISCORDANT


def over_seeds(values: ArrayLike, *, confidence: float = 0.95) -> Interval | None:
    """Return the t interval over seeds of the mean, values of shape (S, P).

    The interval takes the problems as given, without the effect of another draw of problems. None
    for one seed, and where all seeds have one mean, which shows no spread.
    """
    means = np.asarray(values, dtype=np.float64).mean(axis=1)
    if len(means) < 2 or np.ptp(means) < _LEAST:
        return None
    error = float(means.std(ddof=1)) / len(means) ** 0.5
    return _t_interval(float(means.mean()), error, len(means) - 1, confidence)


# The largest difference of equal means that rounding can leave.
_LEAST = 1e-12


def over_both(
    values: ArrayLike, *, problems: Interval | None = None, confidence: float = 0.95
) -> Interval | None:
    """Return a t interval of the mean over seeds and problems, values of shape (S, P).

    The variances of the seeds' means and of the problems' means add, with the degrees of freedom of
    Satterthwaite. The variance that seeds and problems share is in both, so the interval errs on
    the wide side. `problems` is the interval over problems where it knows their variance better
    than the values do. None for one seed, and where nothing varies.
    """
    table = np.asarray(values, dtype=np.float64)
    num_seeds, num_problems = table.shape
    if num_seeds < 2 or num_problems < 2:
        return None
    of_seeds = table.mean(axis=1).var(ddof=1) / num_seeds
    of_problems = table.mean(axis=0).var(ddof=1) / num_problems
    if problems is not None:
        known = (problems.high - problems.low) / 2 / ndtri(0.5 + confidence / 2)
        of_problems = max(of_problems, known**2)
    if of_seeds + of_problems < _LEAST**2:
        return None
    freedom = _satterthwaite(of_seeds, of_problems, num_seeds - 1, num_problems - 1)
    error = float(of_seeds + of_problems) ** 0.5
    return _t_interval(float(table.mean()), error, float(freedom), confidence)


def resampled_both(
    values: ArrayLike, weights: Floats, *, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the bootstrap interval that redraws seeds and problems, values of shape (S, P)."""
    table = np.asarray(values, dtype=np.float64)
    of_seeds = bootstrap_weights(len(table), len(weights), seed=seed)
    means = np.einsum("rs,sp,rp->r", of_seeds, table, weights, optimize=True)
    low, high = np.quantile(means, _tails(confidence))
    return Interval(float(table.mean()), float(low), float(high))


def match_point(amounts: ArrayLike, accuracies: ArrayLike, target: float) -> float | None:
    """Return the amount at which a curve first reaches a target, linear in the log of the amount.

    The first amount where the curve starts at or above the target; None where it never gets there.
    """
    amount = np.log(np.asarray(amounts, dtype=np.float64))
    height = np.asarray(accuracies, dtype=np.float64)
    reached = np.flatnonzero(height >= target)
    if not len(reached):
        return None
    after = int(reached[0])
    if after == 0:
        return float(np.exp(amount[0]))
    before = after - 1
    share = (target - height[before]) / (height[after] - height[before])
    return float(np.exp(amount[before] + share * (amount[after] - amount[before])))


def _satterthwaite(one: float, other: float, freedom_one: int, freedom_other: int) -> float:
    """Return the degrees of freedom of a sum of two variances, one of which is above 0."""
    return (one + other) ** 2 / (one**2 / freedom_one + other**2 / freedom_other)


def _by_problem(difference: ArrayLike) -> Floats:
    """Return differences of shape (..., P) as (N, P)."""
    table = np.asarray(difference, dtype=np.float64)
    return table.reshape(-1, table.shape[-1])


def _t_interval(mean: float, error: float, freedom: float, confidence: float) -> Interval:
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    return Interval(mean, mean - half, mean + half)


def _tails(confidence: float) -> tuple[float, float]:
    return (1 - confidence) / 2, (1 + confidence) / 2
