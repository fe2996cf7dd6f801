"""Recalibration of a verifier's logits on held-out labels (Platt scaling)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from pav.models.errors import InputError

Floats = NDArray[np.float64]
# Keeps the fit finite where held-out labels are separable; worth one row at most.
_RIDGE = 1e-2
_NUM_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability = sigmoid(scale * logit + bias)."""

    scale: float = 1.0
    bias: float = 0.0

    def probabilities(self, logits: ArrayLike) -> Floats:
        """Return the calibrated probabilities of logits."""
        return np.asarray(expit(self.scale * np.asarray(logits, np.float64) + self.bias))


def fit_where_better(
    logits: ArrayLike, targets: ArrayLike, weights: ArrayLike, *, groups: Sequence[str]
) -> Calibration:
    """Return `fit_platt` of all rows where it lowers the loss of rows left out, else no change.

    The rows of a group (a problem) are left out together, and every group once: rows of one
    problem have too much in common to judge each other.
    """
    x, t, w = _columns(logits, targets, weights)
    names = {name: place for place, name in enumerate(sorted(set(groups)))}
    fold = np.array([names[name] % _NUM_FOLDS for name in groups], dtype=np.int64)
    if not len(fold) == x.size:
        raise InputError(
            f"calibration: expected a group for each of {x.size} rows, got {len(fold)}"
        )
    gain = 0.0
    for number in range(min(_NUM_FOLDS, len(names))):
        out, kept = fold == number, fold != number
        fitted = fit_platt(x[kept], t[kept], w[kept])
        before, after = (
            _log_loss(each, x[out], t[out], w[out]) for each in (Calibration(), fitted)
        )
        gain += before - after
    return fit_platt(x, t, w) if gain > 0 else Calibration()


def fit_platt(logits: ArrayLike, targets: ArrayLike, weights: ArrayLike) -> Calibration:
    """Return the scale and bias of least soft-label cross-entropy, by damped Newton steps.

    Args:
        logits: of held-out step ends.
        targets: their labels in [0, 1].
        weights: of each; rows of weight 0 do not count.
    """
    x, t, w = _columns(logits, targets, weights)
    keep = w > 0
    if not keep.any():
        return Calibration()
    x, t, w = x[keep], t[keep], w[keep]
    parameters = np.array([1.0, 0.0])
    loss = _loss(parameters, x, t, w)
    for _ in range(100):
        step = _newton_step(parameters, x, t, w)
        size = 1.0
        while _loss(parameters - size * step, x, t, w) > loss and size > 1e-8:
            size /= 2
        parameters = parameters - size * step
        before, loss = loss, _loss(parameters, x, t, w)
        if before - loss <= 1e-12 * max(1.0, abs(before)):
            break
    return Calibration(float(parameters[0]), float(parameters[1]))


def _columns(*columns: ArrayLike) -> tuple[Floats, ...]:
    arrays = tuple(np.asarray(values, np.float64).ravel() for values in columns)
    sizes = [values.size for values in arrays]
    if len(set(sizes)) > 1:
        raise InputError(f"calibration: expected columns of equal lengths, got {sizes}")
    return arrays


def _log_loss(calibration: Calibration, x: Floats, t: Floats, w: Floats) -> float:
    z = calibration.scale * x + calibration.bias
    return float(np.sum(w * (np.logaddexp(0.0, z) - t * z)))


def _loss(parameters: Floats, x: Floats, t: Floats, w: Floats) -> float:
    pull = (parameters[0] - 1.0) ** 2 + parameters[1] ** 2
    return _log_loss(Calibration(*parameters), x, t, w) + 0.5 * _RIDGE * float(pull)


def _newton_step(parameters: Floats, x: Floats, t: Floats, w: Floats) -> Floats:
    p = expit(parameters[0] * x + parameters[1])
    error, curvature = w * (p - t), w * p * (1 - p)
    gradient = np.array([error @ x, error.sum()]) + _RIDGE * (parameters - [1.0, 0.0])
    cross = curvature @ x
    hessian = np.array([[curvature @ (x * x), cross], [cross, curvature.sum()]])
    return np.asarray(np.linalg.solve(hessian + _RIDGE * np.eye(2), gradient), np.float64)
