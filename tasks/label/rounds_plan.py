"""The labelling stage under a common budget: rounds of an allocation and the labels it buys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pav.models.hashing import digest
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.label.plan import label_unit, labellers, wanted_rollouts
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.manifests import find_many, read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Manifest, Unit, Work

STAGE = "allocate"
REVISION = 2


class AllocationWork(Work):
    """The next rollouts of a budget; `most` is by policy_id, `shards` lists its shards."""

    pipeline_seed: int
    round: int
    rounds: int
    budget_rollouts: int
    block_size: int
    most: dict[str, int]
    shards: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Rounds:
    """Plans the rounds of one pipeline seed, as far as the finished units allow.

    `budget` is in rollouts. An allocation reads all labels of the rounds before it; a label unit
    reads its shard's part of an allocation.
    """

    settings: RunSettings
    store: Store
    policies: Mapping[str, PolicySpec]
    sampled: Sequence[Manifest]
    budget: int

    def units(self) -> list[Unit]:
        """Return the units of every round up to the first that is not finished."""
        units: list[Unit] = []
        labelled: list[Manifest] = []
        for number in range(self.settings.label.rounds):
            allocation = self._allocation(number, labelled)
            units.append(allocation)
            manifest = find_many(self.store, [allocation]).get(allocation.unit_id)
            if manifest is None:
                break
            bought = self._label_units(number, manifest)
            units += bought
            done = find_many(self.store, bought)
            if len(done) < len(bought):
                break
            labelled += [done[unit.unit_id] for unit in bought]
        return units

    def _allocation(self, number: int, labelled: Sequence[Manifest]) -> Unit:
        label = self.settings.label
        seed = Shard.of(self.sampled[0].unit).pipeline_seed
        inputs = {f"sample:{place}": each.ref for place, each in enumerate(self.sampled)}
        inputs |= {f"label:{place}": each.ref for place, each in enumerate(labelled)}
        shards = ((self.policies[role].policy_id, Shard.of(sampled.unit))
                  for role, sampled, _ in self._wanted())  # fmt: skip
        members = {(policy_id, own.split, own.shard) for policy_id, own in shards}
        work = AllocationWork(
            pipeline_seed=seed, round=number, rounds=label.rounds, budget_rollouts=self.budget,
            block_size=label.block_size, shards=tuple(sorted(members)),
            most={self.policies[role].policy_id: most for role, _, most in self._wanted()},
        )  # fmt: skip
        return Unit(
            STAGE, f"allocate round {number} seed {seed}", REVISION,
            work.parameters(), inputs,
        )  # fmt: skip

    def _wanted(self) -> Iterator[tuple[str, Manifest, int]]:
        """Yield who labels which shard, with the most rollouts of a prefix there."""
        for shard in self.sampled:
            for role in labellers(self.settings, self.policies):
                if most := wanted_rollouts(self.settings.label, role, shard.unit):
                    yield role, shard, most

    def _label_units(self, number: int, allocation: Manifest) -> list[Unit]:
        """Return the units of a round, one for each shard and policy that got anything."""
        rows = read_table(self.store, allocation, "allocations")
        parts = {
            tuple(map(str, key)): part
            for key, part in rows.group_by("policy_id", "split", "shard", maintain_order=True)
        }
        units = []
        for role, shard, _ in self._wanted():
            policy, own = self.policies[role], Shard.of(shard.unit)
            key = (policy.policy_id, own.split, str(own.shard))
            if key in parts:
                units.append(self._label_unit(number, policy, shard, allocation, parts[key]))
        return units

    def _label_unit(
        self, number: int, policy: PolicySpec, shard: Manifest, allocation: Manifest,
        part: pl.DataFrame,
    ) -> Unit:  # fmt: skip
        size = self.settings.label.block_size
        unit = label_unit(policy, shard, size, {"round": number})
        # Only the unit's own part enters its hash: other parts do not change its labels.
        content = digest(part.select("prefix_id", "first_block", "num_blocks").rows(), length=20)
        ref = InputRef(allocation.unit.unit_id, content)
        return Unit(
            unit.stage, unit.name, unit.revision, unit.parameters,
            {**unit.inputs, "allocation": ref},
        )  # fmt: skip
