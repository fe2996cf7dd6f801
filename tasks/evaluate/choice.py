"""The choice by validation for one pipeline seed: alpha of each prover, and the final pick."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pav.models.search.arms import (
    AGGREGATES,
    FINAL_PICKS,
    prover_names,
)
from pav.models.settings import RunSettings

# The data sets that a choice is made from, in the order of `choose`.
SEARCHED = ("search_results", "final_picks")


@dataclass(frozen=True)
class Choice:
    """What validation chose for one pipeline seed.

    All beams have one final pick, so they differ by verifier, prover and alpha alone. Each prover
    has an alpha. PAV-as-ORM has an alpha and an aggregate.
    """

    final_pick: str
    alphas: Mapping[str, float] = field(default_factory=dict)
    orm_alpha: float = 0.0
    aggregate: str = AGGREGATES[0]


def choose(settings: RunSettings, results: pl.DataFrame, picks: pl.DataFrame) -> Choice:
    """Return what one pipeline seed's validation results say; the grid's middle without any.

    The final pick is the one that is right most often over all beams of the grid. Each alpha is the
    best at that pick, the smallest one on a tie. Alpha 0 is in the table as the beam on Q and is
    not chosen. `results` and `picks` are the data sets `search_results` and `final_picks`.
    """
    evaluate = settings.evaluate
    middle = sorted(evaluate.alphas)[(len(evaluate.alphas) - 1) // 2]
    in_grid = pl.col("alpha").is_in(list(evaluate.alphas))
    rows = results.filter(pl.col("split") == "validation")
    beams = rows.filter(pl.col("strategy") == "beam")
    pick: str = evaluate.final_pick
    if pick == "validation":
        shares = {name: _share(_at_pick(beams, picks, name)) for name in FINAL_PICKS}
        pick = max(shares, key=lambda name: shares[name])
    picked = _at_pick(beams, picks, pick).filter(in_grid)
    alphas = {
        name: _best(picked.filter(pl.col("prover") == name)) for name in prover_names(settings)
    }
    ranked = rows.filter(in_grid, pl.col("strategy") == "best_of_n", pl.col("verifier") == "pav")
    shares = {name: _share(ranked.filter(final_pick=name)) for name in AGGREGATES}
    aggregate = max(shares, key=lambda name: shares[name])
    of_orm = _best(ranked.filter(final_pick=aggregate))
    known = {name: middle if alpha is None else alpha for name, alpha in alphas.items()}
    return Choice(pick, known, middle if of_orm is None else of_orm, aggregate)


def _at_pick(searches: pl.DataFrame, picks: pl.DataFrame, pick: str) -> pl.DataFrame:
    """Return searches with `is_correct` of another final pick than their own."""
    verdicts = picks.filter(pl.col("pick") == pick).select("search_id", "is_correct")
    return searches.drop("is_correct").join(verdicts, on="search_id", maintain_order="left")


def _share(rows: pl.DataFrame) -> float:
    """Return the share of right searches, 0 where there is none."""
    share = rows["is_correct"].mean()
    return float(share) if isinstance(share, int | float) else 0.0


def _best(rows: pl.DataFrame) -> float | None:
    """Return the alpha that is right most often, the smallest on a tie; None without rows."""
    if rows.is_empty():
        return None
    shares = rows.group_by("alpha").agg(pl.col("is_correct").mean()).sort("alpha")
    return float(shares["alpha"][int(shares["is_correct"].arg_max() or 0)])
