"""Executes the units of stage `spread`: sums the blocks of each label and measures its interval."""

from collections.abc import Callable

import polars as pl
from spread_plan import SpreadWork

from pav.models.labels.confidence import wilson_interval
from pav.models.settings import RunSettings
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import read_tables, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

_COLUMNS = ["prefix_id", "policy_id", "num_correct", "num_rollouts"]


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Callable[[str, float, float], None]
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit."""

    def execute(unit: Unit) -> Outcome:
        work = SpreadWork.of(unit)
        manifests = [required_manifest(store, ref.unit_id) for ref in unit.inputs.values()]
        blocks = read_tables(store, manifests, "label_blocks", columns=_COLUMNS)
        labels = blocks.group_by("prefix_id", "policy_id").sum().sort("prefix_id", "policy_id")
        low, high = wilson_interval(
            labels["num_correct"], labels["num_rollouts"], confidence=work.confidence
        )
        rows = labels.select("prefix_id", "policy_id").with_columns(
            pl.lit(work.pipeline_seed).alias("pipeline_seed"),
            pl.Series("width", high - low),
            pl.lit(unit.unit_id).alias("unit_id"),
        )
        table = to_parquet("spread", frame("spread", rows.to_dicts()))
        return Outcome((Output("spread.parquet", table, rows.height),))

    return execute
