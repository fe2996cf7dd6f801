"""How good a verifier's probabilities are, held against counts of correct rollouts."""

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from pav.models.errors import InputError

Floats = NDArray[np.float64]


def auc(scores: ArrayLike, num_correct: ArrayLike, num_rollouts: ArrayLike) -> float:
    """Return the chance that a correct rollout's prefix outscores a wrong one's; ties count half.

    A prefix with c of n stands for c positives and n - c negatives. NaN without both.
    """
    score, correct, total = _columns(scores, num_correct, num_rollouts)
    wrong = total - correct
    if correct.sum() == 0 or wrong.sum() == 0:
        return float("nan")
    _, level = np.unique(score, return_inverse=True)
    wrong_at = np.bincount(level, weights=wrong)
    below = np.cumsum(wrong_at) - wrong_at
    wins = correct @ (below + 0.5 * wrong_at)[level]
    return float(wins / (correct.sum() * wrong.sum()))


def brier_score(scores: ArrayLike, num_correct: ArrayLike, num_rollouts: ArrayLike) -> float:
    """Return the mean of (score - c/n)^2, each label's own sampling variance taken off.

    With q the true value, (score - c/n)^2 - c/n (1 - c/n)/(n - 1) is unbiased for (score - q)^2.
    A label of one rollout has no variance estimate, so its outcome counts as the truth:
    right for a verdict. NaN without labels.
    """
    score, correct, total = _columns(scores, num_correct, num_rollouts)
    if not score.size:
        return float("nan")
    share = correct / total
    variance = np.where(total > 1, share * (1 - share) / np.maximum(total - 1, 1), 0.0)
    return float(np.mean((score - share) ** 2 - variance))


def log_loss(scores: ArrayLike, num_correct: ArrayLike, num_rollouts: ArrayLike) -> float:
    """Return the mean over prefixes of -[c/n log score + (1 - c/n) log(1 - score)], in nats.

    A score of 0 or 1 counts as 1e-12 away from it. NaN without labels.
    """
    score, correct, total = _columns(scores, num_correct, num_rollouts)
    if not score.size:
        return float("nan")
    share, bounded = correct / total, np.clip(score, 1e-12, 1 - 1e-12)
    return float(-np.mean(share * np.log(bounded) + (1 - share) * np.log1p(-bounded)))


def reliability_table(
    scores: ArrayLike,
    num_correct: ArrayLike,
    num_rollouts: ArrayLike,
    *,
    num_bins: int = 10,
    by_rank: bool = False,
) -> pl.DataFrame:
    """Return, for each bin of scores that holds any: its number, mean score and mean label.

    Bins have equal width, or with `by_rank` equally many prefixes (deciles). Prefixes weigh
    alike, however many rollouts they have.
    """
    score, correct, total = _columns(scores, num_correct, num_rollouts)
    position = (rankdata(score, "average") - 0.5) / max(score.size, 1) if by_rank else score
    bins = np.clip((position * num_bins).astype(np.int64), 0, num_bins - 1)
    rows = pl.DataFrame({"bin": bins, "score": score, "label": correct / total})
    return (
        rows.group_by("bin")
        .agg(
            num_prefixes=pl.len(),
            mean_score=pl.col("score").mean(),
            mean_label=pl.col("label").mean(),
        )
        .sort("bin")
    )


def calibration_error(
    scores: ArrayLike,
    num_correct: ArrayLike,
    num_rollouts: ArrayLike,
    *,
    num_bins: int = 10,
    by_rank: bool = False,
) -> float:
    """Return the expected calibration error: mean over prefixes of |mean score - mean label|.

    Taken within the bins of `reliability_table`. NaN without labels.
    """
    table = reliability_table(scores, num_correct, num_rollouts, num_bins=num_bins, by_rank=by_rank)
    if table.is_empty():
        return float("nan")
    gaps = np.abs(table["mean_score"].to_numpy() - table["mean_label"].to_numpy())
    return float(np.average(gaps, weights=table["num_prefixes"].to_numpy()))


def summary(scores: ArrayLike, num_correct: ArrayLike, num_rollouts: ArrayLike) -> dict[str, float]:
    """Return every metric of labelled prefixes by its name, with how many prefixes there were."""
    labels = (scores, num_correct, num_rollouts)
    return {
        "num_prefixes": float(_columns(*labels)[0].size),
        "auc": auc(*labels),
        "brier": brier_score(*labels),
        "log_loss": log_loss(*labels),
        "ece": calibration_error(*labels),
        "ece_deciles": calibration_error(*labels, by_rank=True),
    }


def metrics_table(scores: pl.DataFrame, *, by: Iterable[str] = ("verifier",)) -> pl.DataFrame:
    """Return one row of metrics per group of the `scores` data set's labelled rows.

    Grouping by "num_steps" too gives the AUC by step.
    """
    labelled = scores.filter(pl.col("num_rollouts") > 0)
    columns = list(by)
    rows = []
    for key, group in labelled.group_by(columns, maintain_order=True):
        values = summary(group["score"], group["num_correct"], group["num_rollouts"])
        rows.append(dict(zip(columns, key, strict=True)) | values)
    if not rows:
        return pl.DataFrame(schema={name: labelled.schema[name] for name in columns})
    return pl.DataFrame(rows).sort(columns)


def _columns(*columns: ArrayLike) -> tuple[Floats, ...]:
    """Return scores, correct and total as arrays of the labelled rows; InputError if c > n."""
    score, correct, total = (np.asarray(column, np.float64).ravel() for column in columns)
    if not score.size == correct.size == total.size:
        sizes = (score.size, correct.size, total.size)
        raise InputError(f"metrics: expected columns of one length, got lengths {sizes}")
    if np.any(correct < 0) or np.any(correct > total):
        raise InputError("metrics: expected 0 <= num_correct <= num_rollouts in every row")
    keep = total > 0
    return score[keep], correct[keep], total[keep]
