"""Arms against each other over the same problems and pipeline seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.models import statistics
from pav.models.errors import WorkError
from pav.models.settings import ReportSettings
from pav.models.statistics import Interval

Floats = NDArray[np.float64]
Row = dict[str, Any]
# Resamples in which curves are matched one by one; quantiles of a ratio need no more.
_MATCHED_RESAMPLES = 2000
_AMOUNTS = ("generated_tokens", "all_tokens", "width")


class Key(NamedTuple):
    """An arm with its number of candidates; alpha may differ by pipeline seed."""

    strategy: str
    verifier: str
    prover: str
    num_samples: int


@dataclass(frozen=True)
class Compared:
    """Arms as arrays of shape (S pipeline seeds, P problems), averaged over search seeds."""

    problems: Sequence[str]
    seeds: Sequence[int]
    correct: Mapping[Key, Floats]
    weights: Floats
    confidence: float

    @classmethod
    def of(cls, tested: pl.DataFrame, settings: ReportSettings) -> "Compared":
        """Return the arms of a table of search results; WorkError where an arm has a gap."""
        cells = (
            tested.group_by(*Key._fields, "pipeline_seed", "problem_id")
            .agg(pl.col("is_correct").mean())
            .sort(*Key._fields, "pipeline_seed", "problem_id")
        )
        problems = cells["problem_id"].unique().sort().to_list()
        seeds = cells["pipeline_seed"].unique().sort().to_list()
        correct: dict[Key, Floats] = {}
        for names, table in cells.group_by(Key._fields, maintain_order=True):
            key = Key(*names)
            if table.height != len(problems) * len(seeds):
                raise WorkError(
                    f"search_results: expected {key} on {len(problems)} problems for each of the "
                    f"pipeline seeds {seeds}, got {table.height} results; run `pav evaluate` again"
                )
            values = table["is_correct"].to_numpy().astype(np.float64)
            correct[key] = values.reshape(len(seeds), len(problems))
        weights = statistics.bootstrap_weights(len(problems), settings.num_resamples, seed=0)
        return cls(problems, seeds, correct, weights, settings.confidence)

    def intervals(self) -> dict[Key, Interval]:
        """Return each arm's accuracy with its bootstrap interval over problems."""
        columns = np.stack([values.mean(axis=0) for values in self.correct.values()], axis=1)
        found = statistics.over_problems_many(columns, self.weights, confidence=self.confidence)
        return dict(zip(self.correct, found, strict=True))


def compare(compared: Compared, label: str, first: Key, second: Key) -> Row:
    """Return the paired difference of two arms with every interval.

    `low, high`: bootstrap over problems; with several pipeline seeds also `t_low, t_high` over
    the seeds, and `both_low, both_high` over seeds and problems. `excludes_zero` only where the
    first does and, if there is one, the second.
    """
    difference = compared.correct[first] - compared.correct[second]
    level = compared.confidence
    interval = statistics.over_problems(difference.mean(axis=0), compared.weights, confidence=level)
    seeds = statistics.over_seeds(difference, confidence=level)
    both = statistics.over_both(difference, confidence=level)
    excludes = interval.excludes_zero and (seeds is None or seeds.excludes_zero)
    return {
        "label": label,
        "first": first._asdict(),
        "second": second._asdict(),
        "difference": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "t_low": seeds and seeds.low,
        "t_high": seeds and seeds.high,
        "both_low": both and both.low,
        "both_high": both and both.high,
        "excludes_zero": excludes,
        "num_seeds": len(compared.seeds),
        "num_problems": len(compared.problems),
        "by_seed": [float(each) for each in difference.mean(axis=1)],
    }


def matched(
    compared: Compared, target: Key, curve: Sequence[Key], cost: Mapping[Key, Mapping[str, Any]]
) -> Row | None:
    """Return at what cost a curve of arms reaches the target's accuracy, and the ratios to it.

    The interval of the ratio of candidates is over problems; 0 stands for never.
    """
    if not curve:
        return None
    columns = [compared.correct[key].mean(axis=0) for key in (target, *curve)]
    table = np.stack(columns, axis=1)
    counts = [key.num_samples for key in curve]
    goal, *heights = table.mean(axis=0).tolist()
    needed = statistics.match_point(counts, heights, goal)
    drawn = compared.weights[:_MATCHED_RESAMPLES] @ table
    ratios = [_ratio(target.num_samples, counts, row) for row in drawn]
    low, high = np.quantile(ratios, [(1 - compared.confidence) / 2, (1 + compared.confidence) / 2])
    row: Row = {
        "arm": " ".join(filter(None, curve[0][:3])),
        "matches": f"{target.verifier} best-of-{target.num_samples}",
        "accuracy": goal,
        "candidates": needed,
        "candidate_ratio": needed and target.num_samples / needed,
        "candidate_ratio_low": float(low),
        "candidate_ratio_high": float(high),
    }
    for name in _AMOUNTS:
        amounts = [float(cost[key][name]) for key in curve]
        at_match = statistics.match_point(amounts, heights, goal)
        own = target.num_samples if name == "width" else float(cost[target][name])
        row |= {name: at_match, f"{name}_ratio": at_match and own / at_match}
    return row


def _ratio(count: int, counts: Sequence[int], accuracies: Floats) -> float:
    needed = statistics.match_point(counts, accuracies[1:], float(accuracies[0]))
    return count / needed if needed else 0.0
