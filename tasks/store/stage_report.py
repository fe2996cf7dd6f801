"""Finished and missing units, found without starting anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pav.tasks.store.manifests import find_many
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit


@dataclass(frozen=True)
class StageReport:
    """What a run did for a stage: units in all, reused and made; seconds are of the made ones."""

    stage: str
    total: int
    reused: int
    made: int
    seconds: float
    datasets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line for people: `label (label_blocks): 48 units, 40 reused, 8 made in 9.1 s`.

        Notes follow, each after a semicolon.
        """
        names = f" ({', '.join(self.datasets)})" if self.datasets else ""
        parts = [f"{self.reused} reused"] if self.reused or not self.made else []
        parts += [f"{self.made} made in {self.seconds:.1f} s"] if self.made else []
        units = "unit" if self.total == 1 else "units"
        counts = f"{self.stage}{names}: {self.total} {units}, {', '.join(parts)}"
        return "; ".join([counts, *self.notes])


def missing(store: Store, units: Sequence[Unit]) -> list[Unit]:
    """Return the units, each once and in order, whose results are missing or damaged."""
    done = find_many(store, units)
    distinct = {unit.unit_id: unit for unit in units}
    return [unit for unit_id, unit in distinct.items() if unit_id not in done]


def report_stage(
    stage: str,
    manifests: Sequence[Manifest],
    *,
    costs: Mapping[str, float],
    notes: tuple[str, ...] = (),
) -> StageReport:
    """Return a stage's report from all its manifests and unit_id -> seconds of the made ones."""
    names = {data.name.split("/")[0] for manifest in manifests for data in manifest.files}
    datasets = tuple(sorted(name.removesuffix(".parquet") for name in names))
    made = sum(manifest.unit.unit_id in costs for manifest in manifests)
    total = len(manifests)
    return StageReport(stage, total, total - made, made, sum(costs.values()), datasets, notes)
