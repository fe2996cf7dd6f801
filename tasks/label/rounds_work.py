"""Executes allocation units: which prefixes the next rollouts of a common budget go to."""

import time
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.models.hashing import stream_key
from pav.models.labels.allocation import Budget, Candidates, next_blocks
from pav.models.planners.rules import ALLOCATED, FIXED
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.label.rounds_plan import STAGE, AllocationWork
from pav.tasks.sample.work import Progress
from pav.tasks.store.datasets import SCHEMAS, to_parquet
from pav.tasks.store.manifests import read_tables, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; it needs no engine."""

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        table = allocate(unit, candidates(store, unit))
        output = Output("allocations.parquet", to_parquet("allocations", table), table.height)
        return Outcome((output,), {"seconds": time.perf_counter() - started})

    return execute


def candidates(store: Store, unit: Unit) -> pl.DataFrame:
    """Return every open prefix of each policy's shards with its counts in the rounds so far."""
    sampled = _manifests(store, unit, "sample")
    prefixes = pl.concat(
        read_tables(store, [each], "prefixes")
        .filter(~pl.col("is_terminal"))
        .select(
            "prefix_id", "num_steps",
            split=pl.lit(Shard.of(each.unit).split),
            shard=pl.lit(Shard.of(each.unit).shard, dtype=pl.Int32),
        )
        for each in sampled
    )  # fmt: skip
    shards = pl.DataFrame(
        AllocationWork.of(unit).shards, orient="row",
        schema={"policy_id": pl.String, "split": pl.String, "shard": pl.Int32},
    )  # fmt: skip
    blocks = read_tables(store, _manifests(store, unit, "label"), "label_blocks")
    totals = blocks.group_by("prefix_id", "policy_id").agg(
        blocks=pl.len(), correct=pl.col("num_correct").sum(), rollouts=pl.col("num_rollouts").sum()
    )
    return (
        prefixes.join(shards, on=["split", "shard"])
        .join(totals, on=["prefix_id", "policy_id"], how="left")
        .with_columns(pl.col("blocks", "correct", "rollouts").fill_null(0))
        .sort("policy_id", "split", "shard", "prefix_id")
    )


def allocate(unit: Unit, table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `allocations`: what this round draws of the candidates."""
    work = AllocationWork.of(unit)
    budget = Budget(work.budget_rollouts, work.block_size, work.rounds)
    most = {policy: -(-count // budget.block) for policy, count in work.most.items()}
    columns = table.select(
        "correct", "rollouts", "blocks",
        most=pl.col("policy_id").replace_strict(most, return_dtype=pl.Int64),
        kinds=pl.struct("policy_id", "num_steps").rank("dense"),
    ).cast(pl.Int64)  # fmt: skip
    candidates = Candidates(
        **{column.name: column.to_numpy() for column in columns}, tie_breaks=_tie_breaks(table)
    )
    taken, gains = next_blocks(candidates, budget, number=work.round)
    rule = pl.when(pl.col("blocks") == 0).then(pl.lit(FIXED)).otherwise(pl.lit(ALLOCATED))
    return (
        table.with_columns(
            first_block=pl.col("blocks").cast(pl.Int32), stopping_rule=rule,
            num_blocks=pl.Series(taken, dtype=pl.Int32), gain=pl.Series(gains),
            unit_id=pl.lit(unit.unit_id),
        )
        .filter(pl.col("num_blocks") > 0)
        .select(list(SCHEMAS["allocations"]))
    )  # fmt: skip


def _tie_breaks(table: pl.DataFrame) -> NDArray[np.int64]:
    """Return the places of prefixes in a random order that is the same for every round."""
    keys = [stream_key("allocate", name) for name in table["prefix_id"]]
    return np.argsort(np.argsort(np.array(keys, dtype=np.uint64))).astype(np.int64)


def _manifests(store: Store, unit: Unit, stage: str) -> list[Manifest]:
    """Return the manifests of a stage's inputs, in order."""
    roles = [role for role in unit.inputs if role.startswith(f"{stage}:")]
    roles.sort(key=lambda role: int(role.partition(":")[2]))
    return [required_manifest(store, unit.inputs[role].unit_id) for role in roles]
