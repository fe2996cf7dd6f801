"""What validation chooses for one pipeline seed: alpha of each prover, and the final pick."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pav.models.search.arms import (
    AGGREGATES,
    FINAL_PICKS,
    prover_names,
)
from pav.models.settings import RunSettings


@dataclass(frozen=True)
class Choice:
    """What validation chose for one pipeline seed.

    One final pick for all beams, so that beams differ by their guide alone; an alpha for each
    prover; alpha and aggregate of PAV-as-ORM.
    """

    final_pick: str
    alphas: Mapping[str, float] = field(default_factory=dict)
    orm_alpha: float = 0.0
    aggregate: str = AGGREGATES[0]


def choose(settings: RunSettings, results: pl.DataFrame) -> Choice:
    """Return what one pipeline seed's validation results say; the grid's middle without any.

    The final pick is the one that is right most often over all beams of the grid, each alpha the
    best at that pick, the smallest one on a tie. Alpha 0 is in the table as the beam on Q and is
    not chosen.
    """
    evaluate = settings.evaluate
    middle = sorted(evaluate.alphas)[(len(evaluate.alphas) - 1) // 2]
    pick: str = "" if evaluate.final_pick == "validation" else evaluate.final_pick
    rows = results.filter(pl.col("split") == "validation")
    beams = rows.filter(pl.col("strategy") == "beam")
    if not pick:
        shares = {name: _mean(beams, f"is_correct_{name}") for name in FINAL_PICKS}
        pick = max(shares, key=lambda name: shares[name])
    in_grid = pl.col("alpha").is_in(list(evaluate.alphas))
    alphas = {
        name: _best(beams.filter(in_grid, pl.col("prover") == name), f"is_correct_{pick}")
        for name in prover_names(settings)
    }
    ranked = rows.filter(in_grid, pl.col("strategy") == "best_of_n", pl.col("verifier") == "pav")
    shares = {name: _mean(ranked.filter(final_pick=name), "is_correct") for name in AGGREGATES}
    aggregate = max(shares, key=lambda name: shares[name])
    of_orm = _best(ranked.filter(final_pick=aggregate), "is_correct")
    known = {name: middle if alpha is None else alpha for name, alpha in alphas.items()}
    return Choice(pick, known, middle if of_orm is None else of_orm, aggregate)


def _mean(rows: pl.DataFrame, column: str) -> float:
    """Return the share of a truth column, 0 where there is none."""
    share = rows[column].mean()
    return float(share) if isinstance(share, int | float) else 0.0


def _best(rows: pl.DataFrame, column: str) -> float | None:
    """Return the alpha that is right most often, the smallest on a tie; None without rows."""
    if rows.is_empty():
        return None
    shares = rows.group_by("alpha").agg(pl.col(column).mean()).sort("alpha")
    return float(shares["alpha"][int(shares[column].arg_max() or 0)])
