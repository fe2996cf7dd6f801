"""The policies of a run: the base and its provers by name, their identities and lineage."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pav.models.domains import domain_of
from pav.models.errors import InputError, WorkError
from pav.models.hashing import digest
from pav.models.records import Problem
from pav.models.settings import PolicySettings, PrepareSettings, RunSettings
from pav.tasks.engine.checkpoints import check_checkpoint, file_hashes, is_identity_file
from pav.tasks.store.manifests import checkpoint_folder, read_manifest, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Manifest

FROM_SCRATCH = "from scratch"
GIVEN = "given checkpoint"


@dataclass(frozen=True)
class PolicySpec:
    """A policy in a role. `ref` is what a unit that uses it names as its input.

    `checkpoint` is a folder that Transformers loads: within the store, or as the user gave it.
    `parent_policy_id` is the policy whose training it goes on from, or "from scratch" or
    "given checkpoint". Roles with equal `policy_id` are one policy and share labels.
    """

    role: str
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


def policy_folder(settings: RunSettings, store: Store, role: str, ref: InputRef) -> Path:
    """Return the checkpoint folder that a unit's input names: the user's, or the embedded one."""
    if given := settings.prepare.policy(role).path:
        return Path(given)
    return checkpoint_folder(store, required_manifest(store, ref.unit_id), role)


def check_policies(settings: PrepareSettings) -> None:
    """Raise InputError where a folder is no checkpoint or the settings contradict each other."""
    for policy in settings.policies:
        if policy.path:
            check_checkpoint(Path(policy.path))
    if settings.hidden_size % (2 * settings.num_heads):
        raise InputError(
            "prepare.hidden_size: expected a multiple of 2 * prepare.num_heads = "
            f"{2 * settings.num_heads}, got {settings.hidden_size}"
        )


def check_provers(settings: RunSettings) -> None:
    """Raise InputError where a prover that is to label is no policy."""
    names = [name for name in settings.prepare.names if name != "base"]
    for prover in settings.label.provers:
        if prover not in names:
            raise InputError(
                f"label.provers: expected names of prepare.policies besides base, {names}, got "
                f"{prover!r}; set label.provers to those that label"
            )


def resolve_policies(
    settings: RunSettings, store: Store, pretrain: Manifest | None
) -> dict[str, PolicySpec]:
    """Return who plays each role; `pretrain` is needed for those without a given folder."""
    check_policies(settings.prepare)
    specs: dict[str, PolicySpec] = {}
    parent = FROM_SCRATCH
    for policy in sorted(settings.prepare.policies, key=lambda policy: policy.steps):
        if policy.path:
            specs[policy.name] = _given_spec(settings, store, policy)
            continue
        spec = _embedded_spec(settings, store, policy.name, pretrain)
        # Policies kept at the same step are one, which is not its own parent.
        twins = [other for other in specs.values() if other.policy_id == spec.policy_id]
        parent_of_spec = twins[0].parent_policy_id if twins else parent
        specs[policy.name] = replace(spec, parent_policy_id=parent_of_spec)
        parent = spec.policy_id
    return {name: specs[name] for name in settings.prepare.names}


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


def _given_spec(settings: RunSettings, store: Store, policy: PolicySettings) -> PolicySpec:
    name = policy_id(settings, file_hashes(Path(policy.path)))
    ref = InputRef(f"given-{name}", name)
    return PolicySpec(policy.name, name, GIVEN, policy.path, ref, store, policy.path)


def _embedded_spec(
    settings: RunSettings, store: Store, role: str, pretrain: Manifest | None
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
    # A unit that samples depends on what the policy is, and not on the training that made it.
    ref = InputRef(pretrain.unit.unit_id, name)
    return PolicySpec(role, name, FROM_SCRATCH, folder, ref, store)
