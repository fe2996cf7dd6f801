"""Plans the pilots: for each labelling policy, the work of a few problems of one shard."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pav.models.hashing import stream_key
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.label.plan import LabelWork
from pav.tasks.label.registry import PLANNERS
from pav.tasks.store.manifests import read_table, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit, Work

STAGE = "pilot"
REVISION = 3

# Open prefixes that warm up and are not measured: they meet most of the batch shapes, and a CPU's
# kernels are compiled anew for each shape.
WARM_PREFIXES = 128


class PilotWork(Work):
    """Labels of a few problems: `warm` ones first, then `measured` ones, whose cost counts.

    `units` are the labelling units that are cut down: stage, revision and parameters of each.
    """

    warm: tuple[str, ...]
    measured: tuple[str, ...]
    role: str
    workers: int
    device: str
    units: tuple[dict[str, Any], ...]


def piloted(settings: RunSettings) -> RunSettings:
    """Return the settings of the labels that pilots are cut from: the run's own.

    A first block of every prefix stands for a common budget, whose labels are not known before it
    is spent.
    """
    label = settings.label
    if not label.budget:
        return settings
    first = {
        "planner": "exhaustive",
        "budget": 0.0,
        "num_rollouts": label.block_size,
        "num_prover_rollouts": min(label.num_prover_rollouts, label.block_size),
    }
    return settings.model_copy(update={"label": label.model_copy(update=first)})


def plan_pilots(
    settings: RunSettings, store: Store, *, label_units: Sequence[Unit]
) -> dict[str, Unit]:
    """Return role -> the pilot of its labels, whose units are cut down to a few problems.

    The problems are those of the first training shard that the role labels, or of another split
    where it labels none. Seconds depend on how many workers share the machine, and on the device.
    """
    num_measured = PLANNERS[settings.label.planner].pilot_prefixes
    pilots = {}
    for role, units in by_role(label_units).items():
        first = min(units, key=lambda unit: Shard.of(unit).split != "train")
        chosen = choose_problems(_open_prefixes(store, first), num_measured=num_measured)
        work = PilotWork(
            warm=tuple(chosen["warm"]),
            measured=tuple(chosen["measured"]),
            role=role,
            workers=settings.runner.workers,
            device=settings.engine.device,
            units=tuple(
                {"stage": unit.stage, "revision": unit.revision, "parameters": unit.parameters}
                for unit in units
                if unit.inputs == first.inputs
            ),
        )
        pilots[role] = Unit(STAGE, f"pilot with {role}", REVISION, work.parameters(), first.inputs)
    return pilots


def by_role(label_units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """Return the units that label sampled shards, by the role that labels, in order."""
    roles: dict[str, list[Unit]] = {}
    for unit in label_units:
        if "prefixes" in unit.inputs:
            roles.setdefault(LabelWork.of(unit).role, []).append(unit)
    return roles


def choose_problems(num_prefixes: Mapping[str, int], *, num_measured: int) -> dict[str, list[str]]:
    """Return problems by the order of their hash: `warm` to warm up on, `measured` after them.

    `num_prefixes` counts the open prefixes of each problem. Where they are fewer than wanted, both
    get their share; a lone problem is both.
    """
    wanted = min(WARM_PREFIXES + num_measured, sum(num_prefixes.values()))
    warm_wanted = wanted * WARM_PREFIXES / (WARM_PREFIXES + num_measured)
    warm: list[str] = []
    measured: list[str] = []
    reached = 0
    for problem in sorted(num_prefixes, key=lambda problem: stream_key(STAGE, problem)):
        if reached >= wanted:
            break
        (warm if reached < warm_wanted else measured).append(problem)
        reached += num_prefixes[problem]
    if not measured:
        warm, measured = warm[:-1] or warm, warm[-1:]
    return {"warm": warm, "measured": measured}


def _open_prefixes(store: Store, unit: Unit) -> dict[str, int]:
    """Return problem -> number of its open prefixes in a labelling unit's shard."""
    sampled = required_manifest(store, unit.inputs["prefixes"].unit_id)
    table = read_table(store, sampled, "prefixes", columns=["problem_id", "is_terminal"])
    counts = table.filter(~pl.col("is_terminal")).group_by("problem_id").len()
    return dict(counts.iter_rows())
