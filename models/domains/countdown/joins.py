"""The operations on arrays of values p / q, forward and solved for one of their two numbers.

Whole p and q stand in float64, NaN in one of them where there is no value.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# How two values x and y are joined. DIFFERENCE is |x - y| where nothing may fall below 0; else it
# is x - y, and LESS, y - x, comes with it. INVERSE is y / x.
SUM, DIFFERENCE, PRODUCT, QUOTIENT, INVERSE, LESS = range(6)


def outcomes(
    px: Floats, qx: Floats, py: Floats, qy: Floats, *, is_signed: bool
) -> tuple[Floats, Floats]:
    """Return all that x and y give, in the order of the constants, along a new second axis."""
    # Over one denominator x is a and y is b, so x / y is a / b.
    a, b, product, both = px * qy, py * qx, px * py, qx * qy
    over = np.where(b == 0, np.nan, b)
    # Two equal numbers have one quotient and one difference.
    under = np.where((a == 0) | (a == b), np.nan, a)
    if not is_signed:
        return (
            np.stack([a + b, np.abs(a - b), product, a, b], axis=1),
            np.stack([both, both, both, over, under], axis=1),
        )
    less = np.where(a == b, np.nan, b - a)
    return (
        np.stack([a + b, a - b, product, a, b, less], axis=1),
        np.stack([both, both, both, over, under, both], axis=1),
    )


def partners(px: Floats, qx: Floats, t: Floats, u: Floats) -> list[tuple[Floats, Floats]]:
    """Return the one y for each outcome that with x = px / qx gives t / u, as p and q.

    The outcomes are the `partner_outcomes`. Some of the y do not count: see `is_partner`.
    """
    a, b, product, both = t * qx, px * u, t * px, u * qx
    return [(a - b, both), (b - a, both), (a, b), (b, a), (product, both), (a + b, both)]


def partner_outcomes(*, is_signed: bool) -> NDArray[np.int64]:
    """Return which outcome each of the `partners` stands for."""
    last = LESS if is_signed else DIFFERENCE
    return np.array([SUM, DIFFERENCE, PRODUCT, QUOTIENT, INVERSE, last])


def is_partner(kind: NDArray[np.int64], x: Floats, t: Floats, u: Floats) -> NDArray[np.bool_]:
    """Return which of the `partners` of x and t / u count, by their places.

    Excluded are 0 / 0, y - x where x - y is 0 too, and y / x where both are 1.
    """
    divides_zero = (x == 0) & ((kind == QUOTIENT) | (kind == INVERSE))
    is_twice = ((kind == INVERSE) & (t == u)) | ((kind == LESS) & (t == 0))
    kept: NDArray[np.bool_] = ~(divides_zero | is_twice)
    return kept


def num_outcomes(*, is_signed: bool) -> int:
    """Return how many `outcomes` two values have."""
    return LESS + 1 if is_signed else LESS
