"""What `results.json` holds of search: arms with intervals, paired differences, compute ratios."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pav.models.arms import FINAL_PICKS, bok_name
from pav.models.coverage import World, coverage_simulation
from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.tasks.arm_labels import TIMES
from pav.tasks.comparisons import Compared, Key, compare, matched

_MEANS = (
    "num_candidates", "generated_tokens", "scored_prefixes", "scored_tokens", "seconds",
)  # fmt: skip
_ARM = ("strategy", "verifier", "prover", "num_samples")
_ORDER = ("single", "best_of_n", "beam", "beam_paper")
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
    pairs, others = _pairs(settings, compared)
    return {
        "confidence": settings.report.confidence,
        "num_resamples": settings.report.num_resamples,
        "num_test_problems": len(compared.problems),
        "num_pipeline_seeds": len(compared.seeds),
        "arms": _arm_rows(tested, compared),
        "better_orm": _better_orm(compared),
        "comparisons": [compare(compared, *pair) for pair in pairs],
        "other_comparisons": [compare(compared, *pair) for pair in others],
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
    )
    rows = []
    for row in table.to_dicts():
        interval = intervals[Key(*(row[name] for name in _ARM))]
        rows.append(
            row
            | {"final_pick": " / ".join(row["final_pick"])}
            | {"accuracy": interval.mean, "low": interval.low, "high": interval.high}
        )
    return sorted(rows, key=_place)


def _place(row: Mapping[str, Any]) -> tuple[int, str, bool, int, str, int]:
    prover = str(row["prover"])
    k = int(prover[2:]) if prover.startswith("bo") else 0
    strategy = str(row["strategy"])
    place = _ORDER.index(strategy) if strategy in _ORDER else len(_ORDER)
    return place, str(row["verifier"]), not k and bool(prover), k, prover, row["num_samples"]


def _better_orm(compared: Compared) -> str:
    """Return the ORM with the higher test accuracy at the most candidates; `orm` on a tie."""
    found = [key for key in compared.correct if key.verifier in ("orm", "orm_seed")]
    most = max((key.num_samples for key in found), default=0)
    means = {
        key.verifier: float(compared.correct[key].mean())
        for key in sorted(found)
        if key.num_samples == most
    }
    return max(means, key=lambda name: means[name], default="orm")


def _pairs(
    settings: RunSettings, compared: Compared
) -> tuple[list[tuple[str, Key, Key]], list[tuple[str, Key, Key]]]:
    """Return the comparisons that the claims are about, and further ones, each with its label."""
    main, orm = bok_name(settings.evaluate.main_k), _better_orm(compared)
    counts = sorted({key.num_samples for key in compared.correct} - {1}, reverse=True)[:2]
    pairs, others = [], []
    for count in counts:
        pav, q = Key("beam", "pav", main, count), Key("beam", "q", "", count)
        best = Key("best_of_n", orm, "", count)
        product = Key("best_of_n", "q_product", "", count)
        ranked = Key("best_of_n", "pav", main, count)
        likely = Key("best_of_n", "orm_likely", "", count)
        pairs += [
            (f"PAV beam at {count} against the better ORM's best-of-{count}", pav, best),
            (f"PAV beam at {count} against ORM {TIMES} likelihood, best-of-{count}", pav, likely),
            (f"PAV beam at {count} against the Q beam at {count}", pav, q),
            (f"PAV as ORM, best-of-{count}, against the better ORM", ranked, best),
        ]
        others += [
            (f"PAV beam at {count} against product of Q, best-of-{count}", pav, product),
            (f"Q beam at {count} against the better ORM's best-of-{count}", q, best),
            (f"Product of Q, best-of-{count}, against the better ORM", product, best),
            (f"ORM {TIMES} likelihood, best-of-{count}, against the better ORM", likely, best),
        ]
        others += [
            (f"Beam with prover {key.prover} at {count} against the Q beam at {count}", key, q)
            for key in sorted(compared.correct)
            if (key.strategy, key.verifier, key.num_samples) == ("beam", "pav", count)
            and key.prover != main
        ]
    if len(counts) == 2:
        most, fewer = counts
        label = f"PAV beam at {fewer} against the better ORM's best-of-{most}"
        pair = Key("beam", "pav", main, fewer), Key("best_of_n", orm, "", most)
        pairs.insert(len(pairs) // 2, (label, *pair))
    known = compared.correct
    return (
        [pair for pair in pairs if pair[1] in known and pair[2] in known],
        [pair for pair in others if pair[1] in known and pair[2] in known],
    )


def _compute_rows(settings: RunSettings, tested: pl.DataFrame, compared: Compared) -> list[Row]:
    """Return what each beam needs to reach the better ORM's accuracy at the most candidates.

    A ratio above 1 says that the beam is cheaper; None where it never gets there. Beam width
    is the paper's x axis; the others count every candidate, discarded ones included, in
    candidates, in generated tokens, and with the tokens that verifiers read.
    """
    orm = _better_orm(compared)
    curves = [("beam", "pav", bok_name(settings.evaluate.main_k)), ("beam", "q", "")]
    costs = tested.group_by(_ARM).agg(pl.col("generated_tokens", "scored_tokens").mean())
    table = costs.with_columns(all_tokens=pl.col("generated_tokens") + pl.col("scored_tokens"))
    cost = {Key(*(row[name] for name in _ARM)): row for row in table.to_dicts()}
    width = settings.evaluate.beam_width
    for key, row in cost.items():
        row["width"] = width or max(key.num_samples // 4, 1)
    targets = [key for key in cost if key[:3] == ("best_of_n", orm, "")]
    if not targets:
        return []
    target = max(targets, key=lambda key: key.num_samples)
    rows = [
        matched(compared, target, sorted(key for key in cost if key[:3] == curve), cost)
        for curve in curves
    ]
    return [row for row in rows if row is not None]


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
