"""The rollouts of `pav bench labels`: many of a few prefixes, in two independent halves."""

from collections.abc import Sequence

import polars as pl

from pav.models.hashing import stream_key
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.label.plan import LabelWork, label_unit
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.manifests import read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit

STAGE = "pool"
REVISION = 2

# Rollouts of a prefix that planners draw from, and as many that give its true value (design.md).
POOL_ROLLOUTS = 256
TRUTH_ROLLOUTS = 256
NUM_PREFIXES = 2000
# Block numbers far from those of labels, so that neither half is drawn again as a label.
FIRST_BLOCK = 10_000
BLOCK = 64


class PoolWork(LabelWork):
    """Rollouts of every prefix of some problems: `pool` to draw from, then `truth` to compare."""

    problems: tuple[str, ...]
    pool: int
    truth: int


def plan_pool(
    settings: RunSettings, store: Store, *, policy: PolicySpec, sampled: Sequence[Manifest],
    num_prefixes: int = NUM_PREFIXES,
) -> list[Unit]:  # fmt: skip
    """Return the units that draw the pool: training problems by their hash until it is large.

    All open prefixes of a problem's solutions are in it.
    """
    of_train = [each for each in sampled if Shard.of(each.unit).split == "train"]
    chosen = _choose(store, of_train, num_prefixes)
    units = []
    for manifest in of_train:
        if own := chosen.get(manifest.unit.unit_id):
            unit = label_unit(policy, manifest, BLOCK, {"block": FIRST_BLOCK})
            work = PoolWork(
                **unit.parameters, problems=tuple(own), pool=POOL_ROLLOUTS, truth=TRUTH_ROLLOUTS
            )
            name = unit.name.replace("label", "pool", 1)
            units.append(Unit(STAGE, name, REVISION, work.parameters(), unit.inputs))
    return units


def _choose(store: Store, sampled: Sequence[Manifest], num_prefixes: int) -> dict[str, list[str]]:
    """Return problems by the sample unit that holds them."""
    counts = pl.concat(
        read_table(store, each, "prefixes", columns=["problem_id", "is_terminal"])
        .filter(~pl.col("is_terminal"))
        .group_by("problem_id")
        .len()
        .with_columns(unit_id=pl.lit(each.unit.unit_id))
        for each in sampled
    )
    rows = sorted(counts.rows(), key=lambda row: stream_key(STAGE, row[0]))
    chosen: dict[str, list[str]] = {}
    reached = 0
    for problem_id, count, unit_id in rows:
        if reached >= num_prefixes:
            break
        chosen.setdefault(unit_id, []).append(problem_id)
        reached += count
    return chosen
