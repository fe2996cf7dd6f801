"""Paired right-or-wrong outcomes where few pairs differ: an interval, an exact test, Holm."""

from collections.abc import Sequence
from math import sqrt

from scipy.optimize import brentq
from scipy.special import bdtr, ndtri

# The search for the ends starts this far from the middle, where the equation holds if no pair
# differs.
_STEP = 1e-9


def score_interval(
    first_only: float, second_only: float, num_pairs: int, *, confidence: float
) -> tuple[float, float]:
    """Return Tango's (1998) interval for the difference of two paired shares.

    `first_only` and `second_only` count the pairs in which one arm alone is right; shares of a pair
    may be added up. Without any such pair the interval reaches z^2 / (n + z^2) on both sides of 0.
    """
    middle = (first_only - second_only) / num_pairs
    z = float(ndtri(0.5 + confidence / 2))

    def excess(difference: float, sign: float) -> float:
        gap = num_pairs * (middle - difference)
        return gap - sign * z * _score_deviation(difference, first_only, second_only, num_pairs)

    low = max(-1.0, middle - _STEP)
    high = min(1.0, middle + _STEP)
    return (
        brentq(excess, -1.0, low, args=(1.0,)) if low > -1 else -1.0,
        brentq(excess, high, 1.0, args=(-1.0,)) if high < 1 else 1.0,
    )


def _score_deviation(
    difference: float, first_only: float, second_only: float, num_pairs: int
) -> float:
    """Return the standard deviation of the count's excess, were `difference` the true one.

    The share of pairs that only the second has right is then at its likeliest value, the larger
    root of a x^2 + b x + c.
    """
    a = 2.0 * num_pairs
    b = (2 * num_pairs - first_only + second_only) * difference - first_only - second_only
    c = -second_only * difference * (1 - difference)
    share = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    return sqrt(max(num_pairs * (2 * share + difference * (1 - difference)), 0.0))


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided exact p value of wins and losses if either is as likely (McNemar)."""
    return min(1.0, 2 * float(bdtr(min(wins, losses), wins + losses, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values that are corrected for their number.

    Holm (1979): the smallest is multiplied by their number, the next by one less, and so on.
    """
    adjusted, highest = list(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted
