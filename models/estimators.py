"""Estimates from counts of correct rollouts: values, best-of-K values, advantages, their errors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from pav.models.confidence import checked_counts
from pav.models.errors import InputError

Floats = NDArray[np.float64]


def value(num_correct: ArrayLike, num_rollouts: ArrayLike) -> Floats:
    """Return the share of correct rollouts, the estimate of Q (Eq. 1); NaN without rollouts."""
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    with np.errstate(invalid="ignore"):
        return np.divide(correct, rollouts)


def value_error(num_correct: ArrayLike, num_rollouts: ArrayLike) -> Floats:
    """Return the standard error sqrt(v (1 - v) / n) of a value; NaN without rollouts."""
    share = value(num_correct, num_rollouts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(share * (1 - share) / np.asarray(num_rollouts, dtype=np.float64))


def best_of(num_correct: int, num_rollouts: int, k: int) -> float | None:
    """Return the unbiased estimate 1 - C(n - c, K) / C(n, K) of 1 - (1 - Q)^K.

    None where K exceeds the n rollouts: no unbiased estimate exists.
    """
    if k > num_rollouts:
        return None
    return float(best_of_array(num_correct, num_rollouts, k))


def best_of_array(num_correct: ArrayLike, num_rollouts: ArrayLike, k: int) -> Floats:
    """Return `best_of` of each count; NaN where K exceeds the number of rollouts."""
    if k < 1:
        raise InputError(f"best_of: expected k >= 1, got {k!r}")
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    wrong = rollouts - correct
    possible, sure = rollouts >= k, wrong < k
    # gammaln has poles at 0 and below, so rows that do not use it are moved away from them.
    safe_wrong, safe_rollouts = np.maximum(wrong, k), np.maximum(rollouts, k)
    log_ratio = (
        gammaln(safe_wrong + 1) - gammaln(safe_wrong - k + 1)
        - gammaln(safe_rollouts + 1) + gammaln(safe_rollouts - k + 1)
    )  # fmt: skip
    estimate = np.where(sure, 1.0, -np.expm1(np.minimum(log_ratio, 0.0)))
    return np.where(possible, estimate, np.nan)


def best_of_formula(q: ArrayLike, k: int) -> Floats:
    """Return 1 - (1 - Q)^K (Eq. 30), exact for a known Q and biased for an estimated one."""
    return np.asarray(1.0 - (1.0 - np.asarray(q, dtype=np.float64)) ** k)


def advantages(values: ArrayLike) -> Floats:
    """Return each step's change of value (Eq. 2); `values[0]` is the bare problem's.

    The last of `values` is the verdict where the solution is finished, so the sum is
    verdict - V(root).
    """
    return np.diff(np.asarray(values, dtype=np.float64))


def solution_values(
    num_correct: Sequence[int], num_rollouts: Sequence[int], *, verdict: bool | None
) -> Floats:
    """Return the values along a solution, bare problem first.

    Args:
        num_correct: for each labelled prefix, the bare problem first.
        num_rollouts: for each labelled prefix.
        verdict: of the finished solution, added as its last value; None if cut off.
    """
    labelled = value(num_correct, num_rollouts)
    return labelled if verdict is None else np.append(labelled, float(verdict))


def advantage_errors(errors: ArrayLike) -> Floats:
    """Return each step's standard error from those of the values, 0 for a terminal prefix.

    Neighbouring prefixes have rollouts of their own, so the variances add.
    """
    squares = np.asarray(errors, dtype=np.float64) ** 2
    return np.sqrt(squares[1:] + squares[:-1])
