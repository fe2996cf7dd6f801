"""What `results.json` holds of search: arms with intervals, paired differences, compute ratios."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pav.models.claims.coverage import World, coverage_simulation
from pav.models.errors import InputError
from pav.models.search.arms import FINAL_PICKS, bok_name
from pav.models.search.strategies import STRATEGIES
from pav.models.settings import RunSettings
from pav.tasks.report.comparisons import Compared, Key, compare_all, matched
from pav.tasks.report.pairs import Pairs, better_orm

_MEANS = (
    "num_candidates", "generated_tokens", "scored_prefixes", "scored_tokens", "seconds",
)  # fmt: skip
_ARM = ("strategy", "verifier", "prover", "num_samples")
_COVERAGE_SEED_SDS = (0.0, 0.2, 0.4)
Row = dict[str, Any]


def search_summary(settings: RunSettings, search_results: pl.DataFrame) -> Row:
    """Return what the search results of one run say, ready for JSON.

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
        "arms": _arm_rows(tested, compared),
        "better_orm": better_orm(compared),
        "comparisons": compare_all(compared, pairs.claims()),
        "other_comparisons": compare_all(compared, pairs.others()),
        "differences_to_q_beam": compare_all(compared, pairs.to_q_beam()),
        "compute": _compute_rows(settings, tested, compared),
        "choices": _choices(tested),
        "validation": _validation_rows(search_results, tested),
        "coverage": _coverage_rows(len(compared.problems), len(compared.seeds)),
    }


def _arm_rows(tested: pl.DataFrame, compared: Compared) -> list[Row]:
    """Return one row for each arm and number of candidates, costs per problem."""
    intervals = compared.intervals()
    picks = [f"is_correct_{pick}" for pick in FINAL_PICKS]
    table = tested.group_by(_ARM).agg(
        pl.col("alpha").mean(),
        pl.col("final_pick").unique().sort(),
        pl.col("is_any_correct").mean().alias("pass_rate"),
        *(pl.col(name).mean().alias(name.replace("is_correct", "accuracy")) for name in picks),
        *(pl.col(name).mean() for name in _MEANS),
        pl.col("pipeline_seed").n_unique().alias("num_pipeline_seeds"),
        pl.col("seed").n_unique().alias("num_search_seeds"),
        pl.col("problem_id").n_unique().alias("num_problems"),
        pl.len().alias("num_searches"),
        (pl.col("beams_cut_off") > 0).sum().alias("searches_cut_off"),
    )
    rows = []
    for row in table.to_dicts():
        interval, kind = intervals[Key(*(row[name] for name in _ARM))]
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
        targets = [key for key in compared.correct if key[:3] == ("best_of_n", verifier, "")]
        target = max(targets, key=lambda key: key.num_samples, default=None)
        for curve in curves if target else ():
            keys = sorted(key for key in compared.correct if key[:3] == curve)
            if target and keys:
                shared = tested.filter(pl.col("seed").is_in(compared.shared(target, *keys)))
                cost = _costs(shared, settings.evaluate.beam_width)
                alike = pairs.is_like_for_like(keys[-1], target)
                rows.append(matched(compared, target, keys, cost) | {"like_for_like": alike})
    return rows


def _costs(tested: pl.DataFrame, width: int) -> dict[Key, Row]:
    """Return the mean cost of each arm for a problem, and the beams it keeps (0: a quarter)."""
    costs = tested.group_by(_ARM).agg(pl.col("generated_tokens", "scored_tokens").mean())
    table = costs.with_columns(all_tokens=pl.col("generated_tokens") + pl.col("scored_tokens"))
    keyed = {Key(*(row[name] for name in _ARM)): row for row in table.to_dicts()}
    return {
        key: row | {"width": width or max(key.num_samples // 4, 1)} for key, row in keyed.items()
    }


def _choices(tested: pl.DataFrame) -> list[Row]:
    """Return what validation chose: final pick and alpha by pipeline seed and arm."""
    names = ("pipeline_seed", "strategy", "verifier", "prover", "final_pick", "alpha")
    chosen = tested.filter(pl.col("verifier").is_in(["pav", "q"])).select(names).unique()
    return chosen.sort(names).to_dicts()


def _validation_rows(results: pl.DataFrame, tested: pl.DataFrame) -> list[Row]:
    """Return validation accuracy by prover and alpha, at the final pick chosen for each seed."""
    beams = results.filter(pl.col("split") == "validation", pl.col("strategy") == "beam")
    chosen = tested.filter(pl.col("strategy") == "beam").select("pipeline_seed", "final_pick")
    joined = beams.drop("final_pick").join(chosen.unique(), on="pipeline_seed")
    at_pick = pl.coalesce(
        pl.when(pl.col("final_pick") == pick).then(f"is_correct_{pick}") for pick in FINAL_PICKS
    )
    table = joined.group_by("prover", "alpha", "num_samples").agg(
        at_pick.mean().alias("accuracy"),
        pl.col("is_any_correct").mean().alias("pass_rate"),
        *(pl.col(f"is_correct_{pick}").mean().alias(f"accuracy_{pick}") for pick in FINAL_PICKS),
        pl.col("problem_id").n_unique().alias("num_problems"),
    )
    return table.sort("prover", "alpha", "num_samples").to_dicts()


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
