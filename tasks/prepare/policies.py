"""The policies of a run: who plays weak, base and strong, their identities and lineage."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from pav.models.domains import domain_of
from pav.models.errors import InputError, WorkError
from pav.models.hashing import digest
from pav.models.records import Problem
from pav.models.settings import PolicyName, PrepareSettings, RunSettings
from pav.tasks.engine.checkpoints import check_checkpoint, file_hashes, is_identity_file
from pav.tasks.store.manifests import checkpoint_folder, read_manifest, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Manifest

ROLES: tuple[PolicyName, ...] = get_args(PolicyName)
FROM_SCRATCH = "from scratch"
GIVEN = "given checkpoint"


@dataclass(frozen=True)
class PolicySpec:
    """A policy in a role. `ref` is what a unit that uses it names as its input.

    `checkpoint` is a folder that Transformers loads: within the store, or as the user gave it.
    `parent_policy_id` is the policy whose training it goes on from, or "from scratch" or
    "given checkpoint". Roles with equal `policy_id` are one policy and share labels.
    """

    role: PolicyName
    policy_id: str
    parent_policy_id: str
    checkpoint: str
    ref: InputRef
    store: Store = field(compare=False, repr=False)
    given: str = ""

    def folder(self) -> Path:
        """Return the local checkpoint folder; an embedded one is downloaded where remote."""
        if self.given:
            return Path(self.given)
        manifest = read_manifest(self.store, self.ref.unit_id)
        if manifest is None:
            raise WorkError(
                f"policy {self.role}: {self.store.root!r} has no manifest of {self.ref.unit_id}; "
                "run `pav prepare` again"
            )
        return checkpoint_folder(self.store, manifest, self.role)


def given_folder(settings: PrepareSettings, role: PolicyName) -> str:
    """Return the user's checkpoint folder for a role; empty where it is embedded."""
    return {"weak": settings.weak, "base": settings.base, "strong": settings.strong}[role]


def policy_folder(settings: RunSettings, store: Store, role: PolicyName, ref: InputRef) -> Path:
    """Return the checkpoint folder that a unit's input names: the user's, or the embedded one."""
    if given := given_folder(settings.prepare, role):
        return Path(given)
    return checkpoint_folder(store, required_manifest(store, ref.unit_id), role)


def kept_steps(settings: PrepareSettings) -> dict[PolicyName, int]:
    """Return after how many optimiser steps each role's checkpoint is kept."""
    return {
        "weak": settings.weak_steps,
        "base": settings.base_steps,
        "strong": settings.strong_steps,
    }


def check_policies(settings: PrepareSettings) -> None:
    """Raise InputError where a checkpoint folder is none or the settings contradict each other."""
    for role in ROLES:
        if given := given_folder(settings, role):
            check_checkpoint(Path(given))
    if settings.hidden_size % (2 * settings.num_heads):
        raise InputError(
            "prepare.hidden_size: expected a multiple of 2 * prepare.num_heads = "
            f"{2 * settings.num_heads}, got {settings.hidden_size}"
        )
    for role, steps in kept_steps(settings).items():
        if steps > settings.strong_steps:
            raise InputError(
                f"prepare.{role}_steps: expected at most prepare.strong_steps = "
                f"{settings.strong_steps}, where the training ends, got {steps}"
            )


def resolve_policies(
    settings: RunSettings, store: Store, pretrain: Manifest | None
) -> dict[PolicyName, PolicySpec]:
    """Return who plays each role; `pretrain` is needed for those without a given folder."""
    check_policies(settings.prepare)
    specs: dict[PolicyName, PolicySpec] = {}
    parent = FROM_SCRATCH
    for role in sorted(ROLES, key=lambda role: kept_steps(settings.prepare)[role]):
        if given_folder(settings.prepare, role):
            specs[role] = _given_spec(settings, store, role)
            continue
        spec = _embedded_spec(settings, store, role, pretrain)
        # Roles kept at the same step are one policy, which is not its own parent.
        twins = [other for other in specs.values() if other.policy_id == spec.policy_id]
        parent_of_spec = twins[0].parent_policy_id if twins else parent
        specs[role] = replace(spec, parent_policy_id=parent_of_spec)
        parent = spec.policy_id
    return {role: specs[role] for role in ROLES}


def policy_id(settings: RunSettings, hashes: Mapping[str, str]) -> str:
    """Return 16 hex digits of weights, tokenizer, prompt template and sampling settings."""
    family = domain_of(settings)
    example = Problem("", family.name, "1 2", "3", "")
    sampling = settings.sample.model_dump(include={"temperature", "top_p", "max_tokens"})
    key = {
        "files": dict(hashes),
        "prompt": [family.name, family.prompt(example), family.delimiter],
        "sampling": sampling,
    }
    return digest(key, length=16)


def _given_spec(settings: RunSettings, store: Store, role: PolicyName) -> PolicySpec:
    folder = given_folder(settings.prepare, role)
    name = policy_id(settings, file_hashes(Path(folder)))
    ref = InputRef(f"given-{name}", name)
    return PolicySpec(role, name, GIVEN, folder, ref, store, folder)


def _embedded_spec(
    settings: RunSettings, store: Store, role: PolicyName, pretrain: Manifest | None
) -> PolicySpec:
    if pretrain is None:
        raise WorkError(f"policy {role}: expected the stage 'pretrain' to be done, it is not")
    start = f"{role}/"
    hashes = {
        file.name.removeprefix(start): file.sha256
        for file in pretrain.files
        if file.name.startswith(start) and is_identity_file(file.name.removeprefix(start))
    }
    name = policy_id(settings, hashes)
    file = pretrain.files[0]
    folder = f"{file.path.removesuffix(file.name)}{role}"
    # Which training made a policy is no concern of who samples from it: only what it is.
    ref = InputRef(pretrain.unit.unit_id, name)
    return PolicySpec(role, name, FROM_SCRATCH, folder, ref, store)
