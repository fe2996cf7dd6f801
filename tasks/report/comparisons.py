"""Arms against each other over the same problems, pipeline seeds and search seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.models.claims import intervals as statistics
from pav.models.claims.discordance import holm, sign_test
from pav.models.claims.intervals import Interval
from pav.models.errors import WorkError
from pav.models.labels.confidence import wilson_interval
from pav.models.search.arms import ARM_KEY, Arm
from pav.models.settings import ReportSettings

Floats = NDArray[np.float64]
Row = dict[str, Any]
# Resamples in which curves are matched one by one; quantiles of a ratio need no more.
_MATCHED_RESAMPLES = 2000
_AMOUNTS = ("generated_tokens", "all_tokens", "width")


@dataclass(frozen=True)
class Pair:
    """Two arms to compare; `of_paper` where the paper says that the first is better.

    `like_for_like` where both arms weigh the policy's likelihood in their final pick, or neither.
    """

    label: str
    first: Arm
    second: Arm
    of_paper: bool = False
    like_for_like: bool = True


@dataclass(frozen=True)
class Compared:
    """Arms as arrays of shape (K search seeds, S pipeline seeds, P problems), 1 where right.

    `search_seeds` names the K seeds of each arm; arms may have different ones.
    """

    problems: Sequence[str]
    seeds: Sequence[int]
    search_seeds: Mapping[Arm, tuple[int, ...]]
    correct: Mapping[Arm, Floats]
    weights: Floats
    confidence: float

    @classmethod
    def of(cls, tested: pl.DataFrame, settings: ReportSettings) -> "Compared":
        """Return the arms of a table of search results; WorkError where an arm has a gap."""
        order = (*ARM_KEY, "seed", "pipeline_seed", "problem_id")
        rows = tested.select(*order, pl.col("is_correct").cast(pl.Float64)).sort(order)
        problems = rows["problem_id"].unique().sort().to_list()
        seeds = rows["pipeline_seed"].unique().sort().to_list()
        search_seeds, correct = {}, {}
        for names, table in rows.group_by(ARM_KEY, maintain_order=True):
            arm = Arm(*names)
            own = tuple(table["seed"].unique().sort().to_list())
            expected = len(own) * len(seeds) * len(problems)
            if table.height != expected:
                raise WorkError(
                    f"search_results: expected {arm.title} on {len(problems)} problems "
                    f"for each of the pipeline seeds {seeds} and search seeds {list(own)}, "
                    f"{expected} results, "
                    f"got {table.height} results; run `pav evaluate` again"
                )
            search_seeds[arm] = own
            shape = len(own), len(seeds), len(problems)
            correct[arm] = table["is_correct"].to_numpy().reshape(shape)
        weights = statistics.bootstrap_weights(len(problems), settings.num_resamples, seed=0)
        return cls(problems, seeds, search_seeds, correct, weights, settings.confidence)

    def shared(self, *arms: Arm) -> list[int]:
        """Return the search seeds that all of some arms have; WorkError where there is none."""
        found = set.intersection(*(set(self.search_seeds[arm]) for arm in arms))
        if not found:
            each = "; ".join(f"{arm.title}: {list(self.search_seeds[arm])}" for arm in arms)
            raise WorkError(
                f"search_results: expected a search seed that all arms of a comparison have, got "
                f"{each}; set evaluate.search_seeds and evaluate.other_seeds, then run "
                "`pav evaluate` again"
            )
        return sorted(found)

    def on(self, arm: Arm, search_seeds: Sequence[int]) -> Floats:
        """Return an arm on some of its search seeds, shape (len(search_seeds), S, P)."""
        places = [self.search_seeds[arm].index(seed) for seed in search_seeds]
        return self.correct[arm][places]

    def intervals(self) -> dict[Arm, tuple[Interval, str]]:
        """Return each arm's accuracy with its interval over problems, and what kind that is.

        If few problems are ever right, or ever wrong, a bootstrap says too little. The interval is
        then Wilson's of the problems' mean, which errs on the wide side.
        """
        means = {arm: values.mean(axis=(0, 1)) for arm, values in self.correct.items()}
        columns = np.stack(list(means.values()), axis=1)
        drawn = statistics.over_problems_many(columns, self.weights, confidence=self.confidence)
        return {
            arm: self._wilson(mean) if _is_one_sided(mean) else (interval, "bootstrap")
            for (arm, mean), interval in zip(means.items(), drawn, strict=True)
        }

    def _wilson(self, mean: Floats) -> tuple[Interval, str]:
        low, high = wilson_interval(mean.sum(), len(mean), confidence=self.confidence)
        return Interval(float(mean.mean()), float(low), float(high)), "wilson"


def _is_one_sided(mean: Floats) -> bool:
    return bool(min((mean > 0).sum(), (mean < 1).sum()) < statistics.FEW_DISCORDANT)


def compare_all(compared: Compared, pairs: Sequence[Pair]) -> list[Row]:
    """Return a row for each pair, its p value also adjusted for the number of pairs."""
    rows = [compare(compared, pair) for pair in pairs]
    adjusted = holm([row["p_value"] for row in rows])
    return [row | {"p_holm": p_value} for row, p_value in zip(rows, adjusted, strict=True)]


def compare(compared: Compared, pair: Pair) -> Row:
    """Return the paired difference of two arms, on the search seeds that both have.

    `low, high`: over problems (`interval` says how); with several pipeline seeds that differ also
    `t_low, t_high` over the seeds, and `both_low, both_high` over seeds and problems.
    `excludes_zero` only where the first does and, if there is one, the second; where few problems
    are discordant, only where the sign test over problems agrees.
    """
    shared = compared.shared(pair.first, pair.second)
    difference = compared.on(pair.first, shared) - compared.on(pair.second, shared)
    level, by_seed = compared.confidence, difference.mean(axis=0)
    is_few = statistics.is_few(difference)
    interval = statistics.over_pairs(difference, compared.weights, confidence=level)
    seeds = statistics.over_seeds(by_seed, confidence=level)
    both = statistics.over_both(by_seed, problems=interval if is_few else None, confidence=level)
    p_value = _p_value(difference)
    excludes = interval.excludes_zero and (seeds is None or seeds.excludes_zero)
    return {
        "label": pair.label,
        "first": pair.first.to_record(),
        "second": pair.second.to_record(),
        "like_for_like": pair.like_for_like,
        "of_paper": pair.of_paper,
        "difference": interval.mean,
        "interval": "score" if is_few else "bootstrap",
        "low": interval.low,
        "high": interval.high,
        "t_low": seeds and seeds.low,
        "t_high": seeds and seeds.high,
        "both_low": both and both.low,
        "both_high": both and both.high,
        "excludes_zero": excludes and (not is_few or p_value < 1 - level),
        "p_value": p_value,
        "wins": int((difference > 0).sum()),
        "losses": int((difference < 0).sum()),
        "num_pairs": difference.size,
        "num_discordant_problems": statistics.num_discordant(difference),
        "num_search_seeds": len(shared),
        "num_seeds": len(compared.seeds),
        "num_problems": len(compared.problems),
        "by_seed": by_seed.mean(axis=1).tolist(),
    }


def _p_value(difference: Floats) -> float:
    """Return the p value of the sign test over problems, whose seeds are summed up."""
    signs = np.sign(difference.sum(axis=(0, 1)))
    return sign_test(int((signs > 0).sum()), int((signs < 0).sum()))


def matched(
    compared: Compared, target: Arm, curve: Sequence[Arm], cost: Mapping[Arm, Mapping[str, Any]]
) -> Row:
    """Return at what cost a curve of arms reaches the target's accuracy, and the ratios to it.

    Both use the search seeds that the arms share. The interval of the ratio of candidates is over
    problems; 0 stands for never.
    """
    shared = compared.shared(target, *curve)
    columns = [compared.on(arm, shared).mean(axis=(0, 1)) for arm in (target, *curve)]
    table = np.stack(columns, axis=1)
    counts = [arm.num_samples for arm in curve]
    goal, *heights = table.mean(axis=0).tolist()
    needed = statistics.match_point(counts, heights, goal)
    drawn = compared.weights[:_MATCHED_RESAMPLES] @ table
    ratios = [_ratio(target.num_samples, counts, row) for row in drawn]
    low, high = np.quantile(ratios, [(1 - compared.confidence) / 2, (1 + compared.confidence) / 2])
    row: Row = {
        "arm": curve[0].words,
        "matches": f"{target.verifier} best-of-{target.num_samples}",
        "target": target.to_record(),
        "num_search_seeds": len(shared),
        "accuracy": goal,
        "candidates": needed,
        "candidate_ratio": needed and target.num_samples / needed,
        "candidate_ratio_low": float(low),
        "candidate_ratio_high": float(high),
    }
    for name in _AMOUNTS:
        amounts = [float(cost[arm][name]) for arm in curve]
        at_match = statistics.match_point(amounts, heights, goal)
        own = target.num_samples if name == "width" else float(cost[target][name])
        row |= {name: at_match, f"{name}_ratio": at_match and own / at_match}
    return row


def _ratio(count: int, counts: Sequence[int], accuracies: Floats) -> float:
    needed = statistics.match_point(counts, accuracies[1:], float(accuracies[0]))
    return count / needed if needed else 0.0
