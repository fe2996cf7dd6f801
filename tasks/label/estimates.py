"""The cost of labels: estimated from pilots, and measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pav.models.labels.budget import WorkUnit, rollouts_for, scaled, total_cost
from pav.models.settings import LabelSettings, RunSettings
from pav.tasks.label.pilot_plan import STAGE, by_role, plan_pilots
from pav.tasks.label.registry import PLANNERS
from pav.tasks.store.manifests import find_many, read_table, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit

LEFT_OUT = (
    "Left out: starting the workers, loading the policies, the first pass of each batch shape, "
    "writing the store and its database."
)
_COLUMNS = {
    "policy": "policy", "prefixes": "prefixes", "labels": "labels", "rollouts": "rollouts",
    "prompt_tokens": "prompt tokens", "generated_tokens": "generated tokens",
    "wasted_tokens": "wasted tokens", "seconds": "worker seconds",
}  # fmt: skip


@dataclass(frozen=True)
class LabelEstimate:
    """The cost of all labels of a run: by policy its items, scaled up from its pilot."""

    policies: Mapping[str, Mapping[str, float]]
    num_measured: int
    workers: int
    device_hour_price: float

    @property
    def total(self) -> dict[str, float]:
        """The cost items over all policies."""
        return total_cost(self.policies.values())

    @property
    def wall_seconds(self) -> float:
        """Seconds by the clock while all workers are busy."""
        return self.total["seconds"] / self.workers

    @property
    def price(self) -> float:
        """Price of the seconds of workers; 0 where none is set."""
        return self.device_hour_price * self.total["seconds"] / 3600

    @property
    def price_per_1000_labels(self) -> float:
        """Price of 1,000 labels, a label being a prefix under a policy."""
        return 1000 * self.price / self.total["labels"] if self.price else 0.0

    def as_record(self) -> dict[str, Any]:
        """Return the estimate for programs."""
        return asdict(self) | {
            "total": self.total,
            "wall_seconds": self.wall_seconds,
            "price": self.price,
            "price_per_1000_labels": self.price_per_1000_labels,
            "left_out": LEFT_OUT,
        }

    def as_text(self) -> str:
        """Return the estimate for people."""
        rows = [list(_COLUMNS.values())]
        for name, items in [*self.policies.items(), ("all", self.total)]:
            rows.append([name, *(f"{items[key]:,.0f}" for key in list(_COLUMNS)[1:])])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        workers = "worker" if self.workers == 1 else "workers"
        outlook = f"about {self.wall_seconds:,.0f} s on {self.workers} {workers}"
        if self.price:
            outlook += f"; {priced(self.price, self.total['labels'])}"
        measured = f"estimated from {self.num_measured:,} prefixes rolled out for it"
        return "\n".join([*lines, f"{outlook}; {measured}", LEFT_OUT])


def missing_pilots(settings: RunSettings, store: Store, label_units: Sequence[Unit]) -> list[Unit]:
    """Return the pilots that are not in the store."""
    pilots = plan_pilots(settings, store, label_units=label_units)
    done = find_many(store, pilots.values())
    return [pilot for pilot in pilots.values() if pilot.unit_id not in done]


def pilot_costs(
    settings: RunSettings, store: Store, label_units: Sequence[Unit]
) -> dict[str, Mapping[str, float]]:
    """Return role -> the cost of its pilot; empty where any pilot is missing."""
    if not any(path.startswith(f"manifests/{STAGE}-") for path in store.list("manifests")):
        return {}
    pilots = plan_pilots(settings, store, label_units=label_units)
    done = find_many(store, pilots.values())
    if any(pilot.unit_id not in done for pilot in pilots.values()):
        return {}
    return {role: done[pilot.unit_id].cost for role, pilot in pilots.items()}


def known_estimate(
    settings: RunSettings, store: Store, label_units: Sequence[Unit]
) -> LabelEstimate | None:
    """Return what labels cost; None where there is nothing to label or a pilot is missing."""
    measured = pilot_costs(settings, store, label_units)
    if not measured:
        return None
    policies = _scaled_up(settings, store, measured, label_units)
    if settings.label.budget:
        bought = _bought(settings, policies) * len(settings.pipeline_seeds)
        policies = _spent(policies, bought, label=settings.label)
    return LabelEstimate(
        policies=policies,
        num_measured=int(sum(cost["steady_prefixes"] for cost in measured.values())),
        workers=settings.runner.workers,
        device_hour_price=settings.runner.device_hour_price,
    )


def budget_rollouts(settings: RunSettings, store: Store, label_units: Sequence[Unit]) -> int | None:
    """Return what a pipeline seed's budget buys; None where it takes pilots that are missing."""
    if settings.label.budget_unit == "rollouts":
        return _bought(settings, {})
    measured = pilot_costs(settings, store, label_units)
    return (
        _bought(settings, _scaled_up(settings, store, measured, label_units)) if measured else None
    )


def _scaled_up(
    settings: RunSettings,
    store: Store,
    measured: Mapping[str, Mapping[str, float]],
    label_units: Sequence[Unit],
) -> dict[str, dict[str, float]]:
    """Return role -> cost of all label units at the rates of its pilot."""
    by = PLANNERS[settings.label.planner].grows_with
    work = _work(store, label_units)
    return {
        role: scaled(cost, work[role][by], by=by) | {"prefixes": float(work[role]["prefixes"])}
        for role, cost in measured.items()
    }


def _bought(settings: RunSettings, policies: Mapping[str, Mapping[str, float]]) -> int:
    label = settings.label
    return rollouts_for(
        label.budget,
        label.budget_unit,
        costs=total_cost(policies.values()),
        workers=settings.runner.workers,
    )


def _spent(
    policies: Mapping[str, Mapping[str, float]], num_rollouts: int, *, label: LabelSettings
) -> dict[str, dict[str, float]]:
    """Return first blocks scaled to a budget's rollouts: the same mix, no prefix over its most."""
    wanted = num_rollouts / max(total_cost(policies.values())["rollouts"], 1.0)
    spent = {}
    for role, cost in policies.items():
        most = label.num_rollouts if role == "base" else label.num_prover_rollouts
        times = min(wanted, math.ceil(most / label.block_size))
        labels = cost["labels"] * min(times, 1.0)
        spent[role] = {item: amount * times for item, amount in cost.items()} | {
            "prefixes": cost["prefixes"], "labels": labels,
        }  # fmt: skip
    return spent


def _work(store: Store, label_units: Sequence[Unit]) -> dict[str, dict[WorkUnit, int]]:
    """Return role -> open prefixes, and problems that have any, of all shards that it labels."""
    shards = {
        role: {unit.inputs["prefixes"].unit_id for unit in units}
        for role, units in by_role(label_units).items()
    }
    work = {name: _work_of_shard(store, name) for name in sorted(set().union(*shards.values()))}
    return {
        role: {
            "prefixes": sum(work[name]["prefixes"] for name in names),
            "problems": sum(work[name]["problems"] for name in names),
        }
        for role, names in shards.items()
    }


def _work_of_shard(store: Store, unit_id: str) -> dict[WorkUnit, int]:
    manifest = required_manifest(store, unit_id)
    table = read_table(store, manifest, "prefixes", columns=["problem_id", "is_terminal"])
    still_open = table.filter(~pl.col("is_terminal"))
    return {"prefixes": still_open.height, "problems": still_open["problem_id"].n_unique()}


def priced(price: float, num_labels: float) -> str:
    """Return a price in words, and what it makes of 1,000 labels."""
    return f"price {price:.3g}, {1000 * price / max(num_labels, 1):.3g} per 1,000 labels"
