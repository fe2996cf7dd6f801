"""Which units the labelling stage has: one per sampled shard, policy and block of rollouts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pav.models.settings import LabelSettings, RunSettings
from pav.tasks.policies import PolicySpec
from pav.tasks.units import Manifest, Unit

STAGE = "label"
REVISION = 2


def plan_labelling(
    settings: RunSettings,
    *,
    policies: Mapping[str, PolicySpec],
    sample_manifests: Sequence[Manifest],
) -> list[Unit]:
    """Return the units that label every sampled shard; all blocks have `block_size` rollouts.

    The base labels every split; each prover that is another policy labels training shards up to
    `prover_shards`, and every validation and test shard.
    """
    return [
        _unit(settings, policies[role], manifest, block)
        for manifest in sample_manifests
        for role in labellers(settings, policies)
        for block in _blocks(settings.label, role, manifest.unit)
    ]


def labellers(settings: RunSettings, policies: Mapping[str, PolicySpec]) -> Iterator[str]:
    """Yield the roles that label: the base, and provers that are policies of their own."""
    seen: set[str] = set()
    for role in ("base", *settings.label.provers):
        if policies[role].policy_id not in seen:
            seen.add(policies[role].policy_id)
            yield role


def _blocks(label: LabelSettings, role: str, sampled: Unit) -> Iterable[int]:
    if role == "base":
        wanted = label.num_rollouts
    elif sampled.parameters["split"] == "train" and (
        sampled.parameters["shard"] >= label.prover_shards
    ):
        wanted = 0
    else:
        wanted = label.num_prover_rollouts
    return range(-(-wanted // label.block_size))


def _unit(settings: RunSettings, policy: PolicySpec, sampled: Manifest, block: int) -> Unit:
    values = sampled.unit.parameters
    parameters = {key: values[key] for key in (
        "domain", "dtype", "batch_size", "split", "shard", "pipeline_seed", "temperature",
        "top_p", "max_tokens", "num_shards",
    )}  # fmt: skip
    split, shard, seed = values["split"], values["shard"], values["pipeline_seed"]
    return Unit(
        STAGE,
        f"label {split} {shard} with {policy.role}, block {block}, seed {seed}",
        REVISION,
        parameters
        | {
            "role": policy.role,
            "policy_id": policy.policy_id,
            "block": block,
            "block_size": settings.label.block_size,
        },
        {
            "policy": policy.ref,
            "problems": sampled.unit.inputs["problems"],
            "prefixes": sampled.ref,
        },
    )
