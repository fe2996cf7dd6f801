"""Plans the sampling units: one per pipeline seed, split and shard of problems."""

from collections.abc import Iterable, Mapping
from typing import Any

from pav.models.hashing import bucket, digest
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.models.splits import SPLITS
from pav.tasks.engine.decoding_work import ShardWork, decoding_of
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.units import InputRef, Manifest, Unit

STAGE = "sample"
REVISION = 4


class SampleWork(ShardWork):
    """Solutions of a shard's problems: `counts` of each role, or `rows` of a file by their hash.

    `policies` maps a role to its policy_id; `only` names the problems that a pilot keeps.
    """

    policies: dict[str, str]
    counts: dict[str, int] | None = None
    rows: str | None = None
    only: tuple[str, ...] | None = None


def plan_sampling(
    settings: RunSettings,
    *,
    pipeline_seed: int,
    problems: Mapping[str, Problem],
    problems_manifest: Manifest,
    policies: Mapping[str, PolicySpec],
) -> list[Unit]:
    """Return the units that sample every split's solutions, problems without a share left out."""
    units = []
    for split in SPLITS:
        counts = _counts(settings, split, policies)
        num_shards = buckets(split, settings.sample.num_shards)
        shards = sharded(problems.values(), split, num_shards)
        for shard, members in shards.items() if counts else ():
            inputs = {role: policies[role].ref for role in counts}
            inputs["problems"] = problems_ref(problems_manifest, members)
            units.append(
                Unit(
                    STAGE,
                    f"sample {split} {shard} seed {pipeline_seed}",
                    REVISION,
                    sample_work(
                        settings,
                        split,
                        shard,
                        pipeline_seed,
                        counts=counts,
                        policies=_ids(policies, counts),
                    ).parameters(),
                    inputs,
                )
            )
    return units


def buckets(split: str, num_shards: int) -> int:
    """Return the fixed number of buckets of a split: held-out splits are small, and few units."""
    return num_shards if split == "train" else -(-num_shards // 8)


def sharded(problems: Iterable[Problem], split: str, num_shards: int) -> dict[int, list[Problem]]:
    """Return the problems of a split by shard: a stable hash, so a new one disturbs one shard."""
    shards: dict[int, list[Problem]] = {}
    members = (problem for problem in problems if problem.split == split)
    for problem in sorted(members, key=lambda problem: problem.problem_id):
        shards.setdefault(bucket(problem.canonical_key, num_shards), []).append(problem)
    return dict(sorted(shards.items()))


def problems_ref(manifest: Manifest, members: Iterable[Problem]) -> InputRef:
    """Return a reference to some problems: found in `manifest`, hashed by their own content."""
    rows = [[each.problem_id, each.question, each.answer] for each in members]
    return InputRef(manifest.unit.unit_id, digest(rows, length=20))


def _counts(
    settings: RunSettings, split: str, policies: Mapping[str, PolicySpec]
) -> dict[str, int]:
    """Return how many solutions a problem of the split gets from each policy that gives any."""
    sample = settings.sample
    of_base = {
        "train": sample.num_train,
        "validation": sample.num_validation,
        "test": sample.num_test,
    }
    counts = {"base": of_base[split]}
    if split == "train":
        own = policies["base"].policy_id
        for role in settings.label.provers:
            counts[role] = sample.num_from_provers if policies[role].policy_id != own else 0
    return {role: count for role, count in counts.items() if count}


def _ids(policies: Mapping[str, PolicySpec], roles: Iterable[str]) -> dict[str, str]:
    return {role: policies[role].policy_id for role in roles}


def sample_work(
    settings: RunSettings, split: str, shard: int, pipeline_seed: int, **others: Any
) -> SampleWork:
    """Return the work of a shard; `others` say what is sampled of it, or taken from a file."""
    return SampleWork(
        **decoding_of(settings),
        split=split,
        shard=shard,
        num_shards=buckets(split, settings.sample.num_shards),
        pipeline_seed=pipeline_seed,
        **others,
    )
