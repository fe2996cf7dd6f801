"""Executes pilots: makes labels of a few problems as a run does, to measure their cost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO

import polars as pl

from pav.models.labels.budget import total_cost
from pav.models.settings import RunSettings
from pav.tasks.label import work as labelling
from pav.tasks.label.pilot_plan import STAGE, PilotWork
from pav.tasks.sample.plan import SampleWork
from pav.tasks.sample.work import Progress
from pav.tasks.store.datasets import to_parquet
from pav.tasks.store.manifests import publish, read_table, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]

# What labelling may read of a sampled shard.
_SAMPLED = ("solutions", "prefixes", "solution_prefixes")


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a pilot; it publishes what it cost and no data."""
    overlay = OverlayStore(store.root)
    label = labelling.open_worker(settings, overlay, device, progress)

    def execute(pilot: Unit) -> Outcome:
        started = time.perf_counter()
        work = PilotWork.of(pilot)
        warm = label(narrowed_units(overlay, pilot, work.warm)[0])
        units = narrowed_units(overlay, pilot, work.measured)
        steady_started = time.perf_counter()
        outcomes = [label(unit) for unit in units]
        steady = total_cost(outcome.cost for outcome in outcomes) | {
            "seconds": time.perf_counter() - steady_started,
            "labels": float(_num_labels(outcomes)),
            "prefixes": float(_num_open(overlay, units[0])),
            "problems": float(len(work.measured)),
        }
        spent = total_cost([warm.cost, *(outcome.cost for outcome in outcomes)])
        cost = spent | {f"steady_{item}": amount for item, amount in steady.items()}
        return Outcome((), cost | {"seconds": time.perf_counter() - started})

    return execute


class OverlayStore(Store):
    """A store whose writes stay in memory; a read returns these writes first."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._written: dict[str, bytes] = {}

    def read_bytes(self, path: str) -> bytes:
        """Return what was written, else what the store has."""
        return self._written[path] if path in self._written else super().read_bytes(path)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Keep the content until this process ends."""
        self._written[path] = data


def narrowed_units(overlay: OverlayStore, pilot: Unit, problems: Sequence[str]) -> list[Unit]:
    """Return the pilot's labelling units, which read a sampled shard of those problems alone."""
    sampled = required_manifest(overlay, pilot.inputs["prefixes"].unit_id)
    tables = {name: read_table(overlay, sampled, name) for name in _SAMPLED}
    kept = {
        name: table.filter(pl.col("problem_id").is_in(problems))
        for name, table in tables.items()
        if "problem_id" in table.columns
    }
    kept["solution_prefixes"] = tables["solution_prefixes"].join(
        kept["solutions"], on="solution_id", how="semi"
    )
    outputs = tuple(
        Output(f"{name}.parquet", to_parquet(name, table), table.height)
        for name, table in kept.items()
    )
    shard = SampleWork.of(sampled.unit).model_copy(update={"only": tuple(problems)})
    kept_unit = replace(sampled.unit, parameters=shard.parameters())
    narrowed = publish(overlay, kept_unit, Outcome(outputs))
    inputs = {**pilot.inputs, "prefixes": narrowed.ref}
    return [
        Unit(given["stage"], pilot.name, given["revision"], given["parameters"], inputs)
        for given in PilotWork.of(pilot).units
    ]


def _num_labels(outcomes: Sequence[Outcome]) -> int:
    """Return how many prefixes got rollouts, by whichever units."""
    tables = [
        pl.read_parquet(BytesIO(output.data), columns=["prefix_id"])
        for outcome in outcomes
        for output in outcome.outputs
        if output.name == "label_blocks.parquet"
    ]
    return pl.concat(tables)["prefix_id"].n_unique()


def _num_open(overlay: OverlayStore, unit: Unit) -> int:
    sampled = required_manifest(overlay, unit.inputs["prefixes"].unit_id)
    table = read_table(overlay, sampled, "prefixes", columns=["is_terminal"])
    return int((~table["is_terminal"]).sum())
