"""Plans the labelling units: by sampled shard and policy, and by block for `exhaustive`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pav.models.errors import InputError
from pav.models.settings import LabelSettings, RunSettings
from pav.models.splits import SPLITS
from pav.tasks.engine.decoding_work import Shard, ShardWork
from pav.tasks.label.registry import PLANNERS
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.sample.plan import SampleWork, buckets
from pav.tasks.store.units import Manifest, Unit

STAGE = "label"
REVISION = 4
# Each has a manifest of its own, which every command looks up.
_MOST_UNITS = 100_000


class LabelWork(ShardWork):
    """Labels of a shard by one policy: of one block, of a budget round, or of a whole planner."""

    role: str
    policy_id: str
    block_size: int
    block: int | None = None
    round: int | None = None
    planner: dict[str, Any] | None = None

    @property
    def piece(self) -> str:
        """Which part of the shard it is: a block, a round, or all of it."""
        if self.round is not None:
            return f"round {self.round}"
        return "all" if self.block is None else str(self.block)

    @property
    def name(self) -> str:
        """The part in words."""
        if self.planner:
            return str(self.planner["kind"]).replace("_", " ")
        return f"round {self.round}" if self.round is not None else f"block {self.block}"


def plan_labelling(
    settings: RunSettings,
    *,
    policies: Mapping[str, PolicySpec],
    sample_manifests: Sequence[Manifest],
) -> list[Unit]:
    """Return the units that label every sampled shard, for all planners without a budget.

    The base labels every split; each prover that is another policy labels training shards up to
    `prover_shards`, and every validation and test shard. `exhaustive` has one unit per block, so
    that asking for more keeps what is done; a planner that looks at outcomes has one per shard.
    """
    planner = PLANNERS[settings.label.planner]
    return [
        label_unit(policies[role], manifest, settings.label.block_size, extra)
        for manifest in sample_manifests
        for role in labellers(settings, policies)
        for extra in planner.pieces(settings, wanted_rollouts(settings.label, role, manifest.unit))
    ]


def check_labelling(settings: RunSettings) -> None:
    """Raise InputError where settings of the labelling stage contradict each other."""
    label, planner = settings.label, PLANNERS[settings.label.planner]
    if planner.work is None:
        _check_num_units(settings)
    if label.budget and not planner.takes_budget:
        raise InputError(
            f"label.budget: expected label.planner {_names('takes_budget')}, which spends it by "
            f"expected gain, got {label.planner!r}; set the planner, or remove the budget"
        )
    if planner.work is not None:
        planner.work.check(settings)
    if settings.evaluate.prover_value == "head" and not planner.is_fixed:
        raise InputError(
            "evaluate.prover_value: head is fitted to best-of-K values of labels of a fixed size, "
            f"expected label.planner {_names('is_fixed')}, got {label.planner!r}; or use formula"
        )


def _names(flag: str) -> str:
    return " or ".join(name for name, planner in PLANNERS.items() if getattr(planner, flag))


def _check_num_units(settings: RunSettings) -> None:
    label, num_shards = settings.label, settings.sample.num_shards
    wanted = [label.num_rollouts, *[label.num_prover_rollouts] * len(label.provers)]
    blocks = sum(-(-rollouts // label.block_size) for rollouts in wanted)
    shards = sum(buckets(split, num_shards) for split in SPLITS) * len(settings.pipeline_seeds)
    if shards * blocks > _MOST_UNITS:
        raise InputError(
            f"label.num_rollouts: {label.num_rollouts:,} of the base and "
            f"{label.num_prover_rollouts:,} of each prover, in blocks of {label.block_size:,} for "
            f"{shards:,} shards, make {shards * blocks:,} units of work, expected at most "
            f"{_MOST_UNITS:,}; raise label.block_size, or lower the rollouts or sample.num_shards"
        )


def labelled(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return those of the stage's manifests that hold labels, allocations left out."""
    return [manifest for manifest in manifests if manifest.unit.stage == STAGE]


def labellers(settings: RunSettings, policies: Mapping[str, PolicySpec]) -> Iterator[str]:
    """Yield the roles that label: the base, and provers that are policies of their own."""
    seen: set[str] = set()
    for role in ("base", *settings.label.provers):
        if policies[role].policy_id not in seen:
            seen.add(policies[role].policy_id)
            yield role


def wanted_rollouts(label: LabelSettings, role: str, sampled: Unit) -> int:
    """Return how often a role estimates a prefix of a sampled shard; 0 if it does not label it."""
    if role == "base":
        return label.num_rollouts
    shard = Shard.of(sampled)
    if shard.split == "train" and shard.shard >= label.prover_shards:
        return 0
    return label.num_prover_rollouts


def label_unit(
    policy: PolicySpec, sampled: Manifest, block_size: int, extra: Mapping[str, Any]
) -> Unit:
    """Return a unit that labels a sampled shard by a policy; `extra` says which part of it."""
    shard = SampleWork.of(sampled.unit)
    shared = {name: getattr(shard, name) for name in ShardWork.model_fields}
    work = LabelWork(
        **shared, role=policy.role, policy_id=policy.policy_id, block_size=block_size, **extra
    )
    return Unit(
        STAGE,
        f"label {shard.split} {shard.shard} with {policy.role}, {work.name}, seed "
        f"{shard.pipeline_seed}",
        REVISION,
        work.parameters(),
        {
            "policy": policy.ref,
            "problems": sampled.unit.inputs["problems"],
            "prefixes": sampled.ref,
        },
    )
