"""Checks of held-out scores: where a verifier is far off, and whether its mean drifts."""

from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from pav.models.labels.confidence import wilson_interval
from pav.models.verifiers.metrics import reliability_table

Row = dict[str, Any]
# A bin is named only where it holds enough prefixes and the error matters to a search.
_FEWEST_PREFIXES = 20
_LEAST_FACTOR = 1.5
_LEAST_GAP = 0.05


def worst_bins(scores: pl.DataFrame) -> list[Row]:
    """Return, for each verifier that has one, the bin of scores that is off by the largest factor.

    A bin counts only if the interval of its labels, with each prefix as one trial, excludes the
    score.
    """
    labelled = scores.filter(pl.col("num_rollouts") > 0)
    found = []
    for (name,), mine in labelled.group_by("verifier", maintain_order=True):
        bins = reliability_table(mine["score"], mine["num_correct"], mine["num_rollouts"])
        off = [row for row in bins.to_dicts() if _is_off(row)]
        if off:
            worst = max(off, key=_factor)
            found.append({"verifier": name, **worst, "factor": _factor(worst)})
    return sorted(found, key=lambda row: -row["factor"])


def _factor(row: Row) -> float:
    """Return by what factor score and label differ, 1 or more; one in a thousand stands for 0."""
    said, seen = max(row["mean_score"], 1e-3), max(row["mean_label"], 1e-3)
    return float(max(said / seen, seen / said))


def _is_off(row: Row) -> bool:
    count, said, seen = row["num_prefixes"], row["mean_score"], row["mean_label"]
    low, high = wilson_interval(min(seen, 1.0) * count, count)
    return (
        count >= _FEWEST_PREFIXES
        and _factor(row) >= _LEAST_FACTOR
        and abs(said - seen) >= _LEAST_GAP
        and not low <= said <= high
    )


def score_drift(scores: pl.DataFrame, *, confidence: float, verifier: str = "q") -> list[Row]:
    """Return how the mean score of the base's own test solutions changes with the steps.

    The chance that a solution ends rightly has the same mean after any number of steps (the
    tower rule), so a calibrated Q of the base policy is flat. A solution that has ended keeps its
    last score. Errors of the change since the bare problem are clustered by problem;
    `is_flat` is whether its interval, corrected for the number of steps, holds zero.
    """
    rows = scores.filter((pl.col("verifier") == verifier) & (pl.col("split") == "test"))
    if rows.is_empty():
        return []
    carried = _carried(rows)
    change = carried - carried[:, :1]
    problems = _solutions(rows)["problem_id"].to_numpy()
    width = float(norm.ppf(0.5 + (1 - (1 - confidence) / max(change.shape[1] - 1, 1)) / 2))
    return [
        {
            "verifier": verifier,
            "num_steps": step,
            "mean_score": float(carried[:, step].mean()),
            "change": float(change[:, step].mean()),
            "error": (error := _clustered_error(change[:, step], problems)),
            "is_flat": bool(abs(change[:, step].mean()) <= width * error),
            "num_solutions": len(change),
        }
        for step in range(change.shape[1])
    ]


_SOLUTION = ("pipeline_seed", "solution_id")


def _solutions(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each scored solution, in a fixed order, with its scores by step."""
    ordered = rows.sort(*_SOLUTION, "num_steps")
    return ordered.group_by(*_SOLUTION, maintain_order=True).agg(
        pl.col("problem_id").first(), pl.col("score")
    )


def _carried(rows: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return scores of shape (solutions, steps + 1), the last one of each carried on."""
    scores = _solutions(rows)["score"].to_list()
    longest = max(map(len, scores))
    return np.array([[*mine, *[mine[-1]] * (longest - len(mine))] for mine in scores])


def _clustered_error(
    change: np.ndarray[Any, np.dtype[np.float64]], clusters: np.ndarray[Any, Any]
) -> float:
    """Return the standard error of a mean whose rows are independent between clusters only."""
    _, place = np.unique(clusters, return_inverse=True)
    sums = np.bincount(place, weights=change - change.mean())
    count = len(sums)
    if count < 2:
        return float("inf")
    return float(np.sqrt(count / (count - 1) * (sums**2).sum()) / len(change))
