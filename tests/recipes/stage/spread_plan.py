"""Which units stage `spread` has, one for each pipeline seed, and what they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from spread_settings import SpreadSettings

from pav.tasks.label.plan import labelled
from pav.tasks.store.datasets import DataSet
from pav.tasks.store.stages import UnitStage
from pav.tasks.store.units import Unit, Work

if TYPE_CHECKING:
    from pav.flows.plan import Plan

REVISION = 1
UNITS = UnitStage(plan="spread_plan", work="spread_work", data_sets=("spread",))
SPREAD = DataSet(
    columns={
        "prefix_id": pl.String,
        "policy_id": pl.String,
        "pipeline_seed": pl.Int32,
        "width": pl.Float64,
        "unit_id": pl.String,
    },
    grain="One row per prefix, policy and pipeline seed: how wide the interval of its value is.",
    comments={"width": "width of the Wilson interval of the value, at plugins.spread.confidence"},
)


class SpreadWork(Work):
    """Widths of all labels of a pipeline seed."""

    pipeline_seed: int
    confidence: float


def plan_spread(plan: Plan) -> list[Unit]:
    """Return the unit of each pipeline seed; none where the settings want none."""
    wanted = plan.settings.plugins.of(SpreadSettings)
    seeds = plan.settings.pipeline_seeds if wanted.is_wanted else ()
    return [_unit(plan, seed, wanted.confidence) for seed in seeds]


def _unit(plan: Plan, seed: int, confidence: float) -> Unit:
    work = SpreadWork(pipeline_seed=seed, confidence=confidence)
    labels = labelled(plan.of_seed("label", seed))
    inputs = {f"labels {number}": manifest.ref for number, manifest in enumerate(labels)}
    return Unit("spread", f"spread, seed {seed}", REVISION, work.parameters(), inputs)
