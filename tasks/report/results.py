"""What `results.json` holds of search: arms with intervals, paired differences, compute ratios."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pav.models.claims.coverage import World, coverage_simulation
from pav.models.errors import InputError
from pav.models.search.arms import ARM_KEY, Arm, bok_name
from pav.models.search.strategies import STRATEGIES
from pav.models.settings import RunSettings
from pav.tasks.report.comparisons import Compared, compare_all, matched
from pav.tasks.report.pairs import Pairs, better_orm

_MEANS = (
    "num_candidates", "generated_tokens", "scored_prefixes", "scored_tokens", "seconds",
)  # fmt: skip
_COVERAGE_SEED_SDS = (0.0, 0.2, 0.4)
Row = dict[str, Any]


def search_summary(
    settings: RunSettings, search_results: pl.DataFrame, final_picks: pl.DataFrame
) -> Row:
    """Return what the data sets of one run's searches say, ready for JSON.

    The better ORM is the one with the higher accuracy on the test problems at the most
    candidates, which is the harder one to beat.
    """
    tested = search_results.filter(pl.col("split") == "test")
    if tested.is_empty():
        raise InputError(
            "search_results: expected rows of test problems, got none; "
            "does the problem set have a test split (problems.max_test)?"
        )
    compared = Compared.of(tested, settings.report)
    pairs = Pairs(settings.evaluate, compared, tested)
    return {
        "confidence": settings.report.confidence,
        "num_resamples": settings.report.num_resamples,
        "num_test_problems": len(compared.problems),
        "num_pipeline_seeds": len(compared.seeds),
        "arms": _arm_rows(tested, compared, final_picks),
        "better_orm": better_orm(compared),
        "comparisons": compare_all(compared, pairs.claims()),
        "other_comparisons": compare_all(compared, pairs.others()),
        "differences_to_q_beam": compare_all(compared, pairs.to_q_beam()),
        "compute": _compute_rows(settings, tested, compared),
        "choices": _choices(tested),
        "validation": _validation_rows(search_results, tested, final_picks),
        "coverage": _coverage_rows(len(compared.problems), len(compared.seeds)),
    }


def _arm_rows(tested: pl.DataFrame, compared: Compared, final_picks: pl.DataFrame) -> list[Row]:
    """Return one row for each arm and number of candidates, costs per problem."""
    intervals = compared.intervals()
    table = tested.group_by(ARM_KEY).agg(
        pl.col("alpha").mean(),
        pl.col("final_pick").unique().sort(),
        pl.col("is_any_correct").mean().alias("pass_rate"),
        *(pl.col(name).mean() for name in _MEANS),
        pl.col("pipeline_seed").n_unique().alias("num_pipeline_seeds"),
        pl.col("seed").n_unique().alias("num_search_seeds"),
        pl.col("problem_id").n_unique().alias("num_problems"),
        pl.len().alias("num_searches"),
        (pl.col("beams_cut_off") > 0).sum().alias("searches_cut_off"),
    )
    by_pick = _accuracy_by_pick(tested, final_picks, ARM_KEY)
    rows = []
    for row in table.join(by_pick, on=ARM_KEY, how="left").to_dicts():
        interval, kind = intervals[Arm(*(row[name] for name in ARM_KEY))]
        rows.append(
            row
            | {"final_pick": " / ".join(row["final_pick"])}
            | {"accuracy": interval.mean, "low": interval.low, "high": interval.high}
            | {"interval": kind}
        )
    return sorted(rows, key=_place)


def _place(row: Mapping[str, Any]) -> tuple[int, str, bool, int, str, int]:
    prover = str(row["prover"])
    k = int(prover[2:]) if prover.startswith("bo") else 0
    strategy = str(row["strategy"])
    place = list(STRATEGIES).index(strategy)
    return place, str(row["verifier"]), not k and bool(prover), k, prover, row["num_samples"]


def _compute_rows(settings: RunSettings, tested: pl.DataFrame, compared: Compared) -> list[Row]:
    """Return what each beam needs to reach the accuracy of two best-of-N at the most candidates.

    Those are ORM x likelihood and the better ORM. A ratio above 1 says that the beam is cheaper;
    None where it never gets there. Beam width is the paper's x axis; the others count every
    candidate, discarded ones included, in candidates, in generated tokens, and with the tokens
    that verifiers read.
    """
    curves = [("beam", "pav", bok_name(settings.evaluate.main_k)), ("beam", "q", "")]
    pairs = Pairs(settings.evaluate, compared, tested)
    rows = []
    for verifier in ("orm_likely", better_orm(compared)):
        targets = [arm for arm in compared.correct if arm.guide == ("best_of_n", verifier, "")]
        target = max(targets, key=lambda arm: arm.num_samples, default=None)
        for curve in curves if target else ():
            arms = sorted(arm for arm in compared.correct if arm.guide == curve)
            if target and arms:
                shared = tested.filter(pl.col("seed").is_in(compared.shared(target, *arms)))
                cost = _costs(shared, settings.evaluate.beam_width)
                alike = pairs.is_like_for_like(arms[-1], target)
                rows.append(matched(compared, target, arms, cost) | {"like_for_like": alike})
    return rows


def _costs(tested: pl.DataFrame, width: int) -> dict[Arm, Row]:
    """Return the mean cost of each arm for a problem, and the beams it keeps (0: a quarter)."""
    costs = tested.group_by(ARM_KEY).agg(pl.col("generated_tokens", "scored_tokens").mean())
    table = costs.with_columns(all_tokens=pl.col("generated_tokens") + pl.col("scored_tokens"))
    keyed = {Arm(*(row[name] for name in ARM_KEY)): row for row in table.to_dicts()}
    return {
        arm: row | {"width": width or max(arm.num_samples // 4, 1)} for arm, row in keyed.items()
    }


def _choices(tested: pl.DataFrame) -> list[Row]:
    """Return what validation chose: final pick and alpha by pipeline seed and arm."""
    names = ("pipeline_seed", "strategy", "verifier", "prover", "final_pick", "alpha")
    chosen = tested.filter(pl.col("verifier").is_in(["pav", "q"])).select(names).unique()
    return chosen.sort(names).to_dicts()


def _validation_rows(
    results: pl.DataFrame, tested: pl.DataFrame, final_picks: pl.DataFrame
) -> list[Row]:
    """Return validation accuracy by prover and alpha, at the final pick chosen for each seed."""
    group = ("prover", "alpha", "num_samples")
    beams = results.filter(pl.col("split") == "validation", pl.col("strategy") == "beam")
    chosen = tested.filter(pl.col("strategy") == "beam").select("pipeline_seed", "final_pick")
    joined = beams.drop("final_pick", "is_correct").join(chosen.unique(), on="pipeline_seed")
    at_pick = joined.join(
        final_picks.select("search_id", "is_correct", final_pick="pick"),
        on=("search_id", "final_pick"),
    )
    table = at_pick.group_by(group).agg(
        pl.col("is_correct").mean().alias("accuracy"),
        pl.col("is_any_correct").mean().alias("pass_rate"),
        pl.col("problem_id").n_unique().alias("num_problems"),
    )
    by_pick = _accuracy_by_pick(beams, final_picks, group)
    return table.join(by_pick, on=group, how="left").sort(group).to_dicts()


def _accuracy_by_pick(
    searches: pl.DataFrame, final_picks: pl.DataFrame, group: Sequence[str]
) -> pl.DataFrame:
    """Return, by group, the accuracy of each final pick in a column `accuracy_<pick>`."""
    joined = searches.select(*group, "search_id").join(
        final_picks.select("search_id", "pick", "is_correct"), on="search_id"
    )
    means = joined.group_by(*group, "pick").agg(pl.col("is_correct").mean()).sort("pick")
    wide = means.pivot("pick", index=group, values="is_correct")
    return wide.rename({name: f"accuracy_{name}" for name in wide.columns if name not in group})


def _coverage_rows(num_problems: int, num_seeds: int) -> Sequence[Row]:
    """Return how often each kind of interval holds the truth, by how much seeds matter."""
    return [
        {"num_seeds": max(num_seeds, 2), "num_problems": num_problems, "seed_sd_logits": spread}
        | coverage_simulation(
            World(num_seeds=max(num_seeds, 2), num_problems=num_problems, seed_sd=spread),
            num_trials=400,
            num_resamples=300,
        )
        for spread in _COVERAGE_SEED_SDS
    ]
