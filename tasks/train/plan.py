"""Which verifiers are trained, and from which published samples and labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from pav.models.domains import domain_key
from pav.models.errors import InputError
from pav.models.hashing import digest
from pav.models.settings import RunSettings
from pav.models.verifiers.kind import VerifierSpec
from pav.models.verifiers.kinds import KINDS, verifier_specs
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.label.plan import STAGE as LABEL
from pav.tasks.label.plan import LabelWork
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.units import InputRef, Manifest, Unit, Work

STAGE = "train"
# Raised when examples, training or calibration change what comes out.
REVISION = 4
_OF_TRAINING = ("batch_size", "learning_rate", "warmup_steps", "weight_decay", "eval_every",
                "patience", "balance", "rephrase")  # fmt: skip


class TrainWork(Work):
    """A network to fit. Each head has its name, its policy, and the K of its best-of-K target.

    `policies` maps a role to its policy_id; `head_policies` are those whose rollouts label a head.
    `knobs` are a plug-in's settings.
    """

    domain: str
    pipeline_seed: int
    verifier: str
    kind: str
    heads: tuple[str, ...]
    policies: dict[str, str]
    head_policies: tuple[str, ...]
    best_of_k: tuple[int, ...]
    targets: str
    steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    eval_every: int
    patience: int
    balance: bool
    rephrase: float
    knobs: dict[str, JsonValue] | None = None

    def is_value(self, head: int) -> bool:
        """Return whether a head's scores are chances that its policy's rollouts are right."""
        return bool(self.targets) and self.best_of_k[head] == 1


def plan_training(
    settings: RunSettings,
    *,
    pipeline_seed: int,
    policies: Mapping[str, PolicySpec],
    sample_manifests: Sequence[Manifest],
    label_manifests: Sequence[Manifest],
) -> list[Unit]:
    """Return one unit per network of a pipeline seed; manifests of other seeds are left out."""
    samples = _of_seed(sample_manifests, pipeline_seed)
    labels = _of_seed(label_manifests, pipeline_seed)
    planner = _Planner(settings, policies, pipeline_seed)
    return [
        planner.unit(kind, spec, [*samples, *planner.read_by(kind, spec, labels)])
        for kind, spec in verifier_specs(settings)
    ]


def _of_seed(manifests: Iterable[Manifest], pipeline_seed: int) -> list[Manifest]:
    return [
        manifest for manifest in manifests if Shard.of(manifest.unit).pipeline_seed == pipeline_seed
    ]


@dataclass(frozen=True)
class _Planner:
    """Names units with what all networks of a pipeline seed have in common."""

    settings: RunSettings
    policies: Mapping[str, PolicySpec]
    pipeline_seed: int

    def read_by(self, kind: str, spec: VerifierSpec, labels: Iterable[Manifest]) -> list[Manifest]:
        """Return the label units that a network reads: its policies' ones of its kind's splits."""
        policies = set(self._policy_ids(spec).values())
        works = [(manifest, LabelWork.of(manifest.unit)) for manifest in labels]
        return [
            manifest
            for manifest, work in works
            if work.policy_id in policies and work.split in KINDS[kind].label_splits
        ]

    def _policy_ids(self, spec: VerifierSpec) -> dict[str, str]:
        unknown = sorted(set(spec.policies) - self.policies.keys())
        if unknown:
            raise InputError(
                f"verifier {spec.name!r}: expected policies of {sorted(self.policies)}, got "
                f"{', '.join(map(repr, unknown))}"
            )
        return {role: self.policies[role].policy_id for role in spec.policies}

    def unit(self, kind: str, spec: VerifierSpec, manifests: Sequence[Manifest]) -> Unit:
        """Return the unit that trains a network on what some manifests hold."""
        train = self.settings.train.model_dump(mode="json")
        ids = {"base": self.policies["base"].policy_id} | self._policy_ids(spec)
        work = TrainWork(
            domain=domain_key(self.settings),
            pipeline_seed=self.pipeline_seed,
            verifier=spec.name,
            kind=kind,
            heads=spec.heads,
            policies=ids,
            head_policies=tuple(ids[role] for role in spec.policies),
            best_of_k=spec.best_of_k,
            targets=spec.targets,
            steps=spec.steps,
            knobs=None if spec.knobs is None else dict(spec.knobs),
            **{name: train[name] for name in _OF_TRAINING},
        )
        inputs = {"base": self.policies["base"].ref, "problems": _problems_ref(manifests)}
        inputs |= {input_role(manifest.unit): manifest.ref for manifest in manifests}
        name = f"train {spec.name}, seed {self.pipeline_seed}"
        return Unit(STAGE, name, REVISION, work.parameters(), inputs)


def _problems_ref(manifests: Iterable[Manifest]) -> InputRef:
    """Return a reference to all problems that were sampled, from what each shard read of them."""
    refs = {manifest.unit.inputs["problems"] for manifest in manifests}
    contents = sorted({ref.content for ref in refs})
    unit_ids = sorted({ref.unit_id for ref in refs})
    return InputRef(unit_ids[-1] if unit_ids else "", digest(contents, length=20))


def input_role(unit: Unit) -> str:
    """Return what a sample or label unit is called as an input, e.g. `label:base:train:3:0`."""
    own = Shard.of(unit)
    parts = [own.split, str(own.shard)]
    if unit.stage == LABEL:
        work = LabelWork.of(unit)
        parts = [work.role, *parts, work.piece]
    return ":".join([unit.stage, *parts])
