"""Intervals for a value from c right of n rollouts: for n fixed beforehand, and for any n.

Each takes arrays of counts and returns arrays (low, high), (0, 1) without rollouts.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root
from scipy.special import betaincinv, betaln, ndtri, xlog1py, xlogy

from pav.models.errors import InputError

Floats = NDArray[np.float64]
Bounds = tuple[Floats, Floats]

# Arcsine weights cost (log n) / 2 in the exponent at every value, so no setting is needed. A flat
# mixture costs log n at values near 0 and 1, where most prefixes are.
_MIXTURE = 0.5


def wilson_interval(
    num_correct: ArrayLike, num_rollouts: ArrayLike, *, confidence: float = 0.95
) -> Bounds:
    """Return the Wilson score interval of a value; approximate, for a fixed n."""
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    square = float(ndtri(0.5 + _checked(confidence) / 2)) ** 2
    centre = (correct + square / 2) / (rollouts + square)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(rollouts > 0, correct * (rollouts - correct) / rollouts, 0.0)
    half = np.sqrt(square * (variance + square / 4)) / (rollouts + square)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def jeffreys_interval(
    num_correct: ArrayLike, num_rollouts: ArrayLike, *, confidence: float
) -> Bounds:
    """Return the equal-tailed interval of the posterior Beta(c + 1/2, n - c + 1/2), for a fixed n.

    It reaches 0 where c = 0 and 1 where c = n. Coverage is right on average over values, not
    at each (Brown, Cai and DasGupta 2001, section 4.1.2).
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    tail, wrong = (1 - _checked(confidence)) / 2, rollouts - correct
    low = betaincinv(correct + 0.5, wrong + 0.5, tail)
    high = betaincinv(correct + 0.5, wrong + 0.5, 1 - tail)
    return np.where(correct == 0, 0.0, low), np.where(wrong == 0, 1.0, high)


def clopper_pearson_interval(
    num_correct: ArrayLike, num_rollouts: ArrayLike, *, confidence: float
) -> Bounds:
    """Return the interval that inverts two exact binomial tests, for a fixed n.

    Each bound errs with at most half of 1 - confidence at every value (Clopper and Pearson 1934).
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    tail, wrong = (1 - _checked(confidence)) / 2, rollouts - correct
    low = betaincinv(np.maximum(correct, 1), wrong + 1, tail)
    high = betaincinv(correct + 1, np.maximum(wrong, 1), 1 - tail)
    return np.where(correct == 0, 0.0, low), np.where(wrong == 0, 1.0, high)


def sequence_interval(
    num_correct: ArrayLike, num_rollouts: ArrayLike, *, confidence: float
) -> Bounds:
    """Return the interval of a confidence sequence: all n together hold with `confidence`.

    So n may be chosen by looking at the counts. It is {p : M(p) < 1 / (1 - confidence)} with

        M(p) = B(c + 1/2, n - c + 1/2) / B(1/2, 1/2) / (p^c (1 - p)^(n - c)),

    the likelihood under Beta(1/2, 1/2) over that under p, a martingale at the true p that ever
    reaches 1/alpha with chance alpha at most (Ville; Robbins 1970; Howard, Ramdas, McAuliffe
    and Sekhon 2021). Bounds are exact to rounding.
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    alpha = 1 - _checked(confidence)
    return _sequence_low(correct, rollouts, alpha), 1 - _sequence_low(
        rollouts - correct, rollouts, alpha
    )


def checked_counts(num_correct: ArrayLike, num_rollouts: ArrayLike) -> Bounds:
    """Return both counts as broadcast arrays of floats; InputError unless 0 <= c <= n."""
    correct, rollouts = np.broadcast_arrays(
        np.asarray(num_correct, dtype=np.float64), np.asarray(num_rollouts, dtype=np.float64)
    )
    if np.any(correct < 0) or np.any(correct > rollouts):
        raise InputError(
            "counts: expected 0 <= num_correct <= num_rollouts, "
            f"got {num_correct!r} of {num_rollouts!r}"
        )
    return correct, rollouts


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InputError(f"confidence: expected above 0 and below 1, got {confidence!r}")
    return confidence


def _sequence_low(correct: Floats, rollouts: Floats, alpha: float) -> Floats:
    """Return the p below c / n where log M(p) = log 1/alpha; 0 where c = 0.

    M(c / n) <= 1, and M is at least 1/alpha where (1 - p)^(n - c) is left out, which brackets p.
    """
    wrong, some = rollouts - correct, np.maximum(correct, 1)
    level = betaln(correct + _MIXTURE, wrong + _MIXTURE) - betaln(_MIXTURE, _MIXTURE)
    level = level + np.log(alpha)
    outside = np.exp(level / some)
    inside = np.where(correct > 0, correct / np.maximum(rollouts, 1), 1.0)

    def excess(p: Floats, correct: Floats, wrong: Floats, level: Floats) -> Floats:
        return np.asarray(level - xlogy(correct, p) - xlog1py(wrong, -p))

    root = find_root(excess, (outside, inside), args=(correct, wrong, level)).x
    # With c = n the factor (1 - p)^(n - c) is 1, so the outer end of the bracket is the root
    # itself.
    return np.where(correct == 0, 0.0, np.where(wrong == 0, outside, root))
