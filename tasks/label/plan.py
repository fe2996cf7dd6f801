"""Which units the labelling stage has: by sampled shard and policy, and by block where planned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pav.models.errors import InputError
from pav.models.settings import LabelSettings, RunSettings
from pav.models.splits import SPLITS
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.sample.plan import buckets
from pav.tasks.store.units import Manifest, Unit

STAGE = "label"
REVISION = 3
# Each has a manifest of its own, which every command looks up.
_MOST_UNITS = 100_000

# The settings that change what a planner asks for, besides how often it estimates.
_SEARCHING = ("search_rollouts", "pit_rollouts")
PLANNER_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "first_pit": (*_SEARCHING, "pilot_rollouts", "high_value"),
    "binary_search": _SEARCHING,
    "tree_search": (*_SEARCHING, "num_searches", "search_alpha", "search_beta", "search_length",
                    "search_puct"),
    "adaptive": ("goal", "width", "threshold", "confidence"),
}  # fmt: skip

# Raised where the code of one planner changes what its units hold, so that others' labels stay.
# 2: searches say `fixed` of all they draw but a pit's second estimate.
PLANNER_REVISIONS: Mapping[str, int] = {"binary_search": 2, "tree_search": 2}


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
    return [
        label_unit(policies[role], manifest, settings.label.block_size, extra)
        for manifest in sample_manifests
        for role in labellers(settings, policies)
        for extra in _pieces(settings.label, role, manifest.unit)
    ]


def check_labelling(settings: RunSettings) -> None:
    """Raise InputError where settings of the labelling stage contradict each other."""
    _check_num_units(settings)
    label = settings.label
    if label.budget and label.planner != "adaptive":
        raise InputError(
            f"label.budget: expected label.planner adaptive, which spends it by expected gain, got "
            f"{label.planner!r}; set the planner, or remove the budget"
        )
    if label.budget and label.goal != "values":
        raise InputError(
            "label.goal: a budget is spent where it lessens the error of values most, expected "
            f"values, got {label.goal!r}; remove the budget, or set label.goal=values"
        )
    is_open_end = not (label.width or label.threshold or label.budget)
    if label.planner == "adaptive" and label.goal == "values" and is_open_end:
        raise InputError(
            "label.width, label.threshold: expected one above 0, by which `adaptive` stops, got 0 "
            "and 0; set one, or a budget"
        )
    if settings.evaluate.prover_value == "head" and label.planner != "exhaustive":
        raise InputError(
            "evaluate.prover_value: head is fitted to best-of-K values of labels of a fixed size, "
            f"expected label.planner exhaustive, got {label.planner!r}; or use formula"
        )


def _check_num_units(settings: RunSettings) -> None:
    label, num_shards = settings.label, settings.sample.num_shards
    if label.planner != "exhaustive":
        return
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
    values = sampled.parameters
    if values["split"] == "train" and values["shard"] >= label.prover_shards:
        return 0
    return label.num_prover_rollouts


def label_unit(
    policy: PolicySpec, sampled: Manifest, block_size: int, extra: Mapping[str, Any]
) -> Unit:
    """Return a unit that labels a sampled shard by a policy; `extra` says which part of it."""
    values = sampled.unit.parameters
    parameters = {key: values[key] for key in (
        "domain", "dtype", "batch_size", "split", "shard", "pipeline_seed", "temperature",
        "top_p", "max_tokens", "num_shards",
    )}  # fmt: skip
    split, shard, seed = values["split"], values["shard"], values["pipeline_seed"]
    own = {"role": policy.role, "policy_id": policy.policy_id, "block_size": block_size}
    return Unit(
        STAGE,
        f"label {split} {shard} with {policy.role}, {_piece_name(extra)}, seed {seed}",
        REVISION,
        parameters | own | dict(extra),
        {
            "policy": policy.ref,
            "problems": sampled.unit.inputs["problems"],
            "prefixes": sampled.ref,
        },
    )


def _pieces(label: LabelSettings, role: str, sampled: Unit) -> Iterable[dict[str, Any]]:
    """Return the parts in which a shard is labelled by a role, as parameters of their units."""
    wanted = wanted_rollouts(label, role, sampled)
    if label.planner == "exhaustive":
        return [{"block": number} for number in range(-(-wanted // label.block_size))]
    if not wanted:
        return []
    chosen = label.model_dump(mode="json", include=set(PLANNER_SETTINGS[label.planner]))
    if label.planner in PLANNER_REVISIONS:
        chosen["revision"] = PLANNER_REVISIONS[label.planner]
    return [{"planner": {"kind": label.planner, "num_rollouts": wanted, **chosen}}]


def label_piece(unit: Unit) -> str:
    """Return which part of a shard a label unit is: a block, a round, or all of it."""
    values = unit.parameters
    return f"round {values['round']}" if "round" in values else str(values.get("block", "all"))


def _piece_name(extra: Mapping[str, Any]) -> str:
    if "planner" in extra:
        return str(extra["planner"]["kind"]).replace("_", " ")
    return f"round {extra['round']}" if "round" in extra else f"block {extra['block']}"
