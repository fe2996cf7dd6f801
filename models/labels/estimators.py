"""Estimates from counts of correct rollouts: values, best-of-K values, advantages, their errors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import binom, gammaln

from pav.models.errors import InputError
from pav.models.labels.confidence import checked_counts

Floats = NDArray[np.float64]
Counts = tuple[ArrayLike, ArrayLike]


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


def best_of_error(num_correct: ArrayLike, num_rollouts: ArrayLike, *, k: int) -> Floats:
    """Return the standard error of `best_of_array` for a fixed n; NaN where K exceeds n.

    Two sets of K of n rollouts share j with hypergeometric chance h_j, hence exactly

        Var = sum over j of h_j (1 - Q)^(2 K - j)  -  (1 - Q)^(2 K)

    (Hoeffding 1948). Q is taken as (c + 1/2) / (n + 1): at c / n the error of 0 of n would be 0.
    """
    correct, rollouts = checked_counts(num_correct, num_rollouts)
    wrong = ((rollouts - correct + 0.5) / (rollouts + 1))[..., None]
    possible = rollouts >= k
    shared = np.arange(k + 1)
    drawn = np.maximum(rollouts, k)[..., None]
    chances = binom(k, shared) * binom(drawn - k, k - shared) / binom(drawn, k)
    variance = (chances * wrong ** (2 * k - shared)).sum(axis=-1) - wrong[..., 0] ** (2 * k)
    return np.where(possible, np.sqrt(np.maximum(variance, 0.0)), np.nan)


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

    For neighbouring prefixes with rollouts of their own: their variances add. Values and best-of-K
    values alike.
    """
    squares = np.asarray(errors, dtype=np.float64) ** 2
    return np.sqrt(squares[1:] + squares[:-1])


def advantage_error_shared(before: Counts, after: Counts, *, common: Counts) -> Floats:
    """Return each step's standard error where rollouts of `before` pass through `after`.

    Args:
        before: num_correct and num_rollouts of the prefix before the step.
        after: those of the prefix after it; (verdict, 1) where it is terminal.
        common: those of the rollouts that count in both. All of `before` is the same prefix.

    With m of the n_b rollouts before, and of the n_a after, in common, values q_a after and q_o of
    those that pass elsewhere, s = m / n_b, and v(q) = q (1 - q):

        Var = m v(q_a) (1/n_a - 1/n_b)^2 + (n_a - m) v(q_a) / n_a^2
              + (n_b - m) v(q_o) / n_b^2 + s (1 - s) (q_a - q_o)^2 / n_b,

    which is v_a/n_a + v_b/n_b - 2 m v_a/(n_a n_b) (`docs/method.md` section 2), but never negative.
    """
    correct_after, after_total = checked_counts(*after)
    correct_before, before_total = checked_counts(*before)
    correct_common, number = checked_counts(*common)
    elsewhere = (correct_before - correct_common, before_total - number)
    checked_counts(correct_after - correct_common, after_total - number)
    share, q_after = value(number, before_total), value(*after)
    # If every rollout passes `after`, 0 of 1 stands for the unused value q_o.
    q_else = value(elsewhere[0], np.where(elsewhere[1] > 0, elsewhere[1], 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        per_after, per_before = 1 / after_total, 1 / before_total
        paired = number * (per_after - per_before) ** 2 + (after_total - number) * per_after**2
        return np.sqrt(
            paired * q_after * (1 - q_after)
            + elsewhere[1] * q_else * (1 - q_else) * per_before**2
            + share * (1 - share) * (q_after - q_else) ** 2 * per_before
        )
