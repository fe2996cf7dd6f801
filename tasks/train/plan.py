"""Which verifiers are trained, and from which published samples and labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pav.models.domains import domain_key
from pav.models.hashing import digest
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.label.plan import STAGE as LABEL
from pav.tasks.label.plan import LabelWork
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.units import InputRef, Manifest, Unit, Work

STAGE = "train"
# Raised when examples, training or calibration change what comes out.
REVISION = 4
SHARED = "q_provers"
BEST_OF = "q_bok"
_OF_TRAINING = ("batch_size", "learning_rate", "warmup_steps", "weight_decay", "eval_every",
                "patience", "balance", "rephrase")  # fmt: skip


class TrainWork(Work):
    """A network to fit. Each head has its name, its policy, and the K of its best-of-K target.

    `policies` maps a role to its policy_id; `head_policies` are those whose rollouts label a head.
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


@dataclass(frozen=True)
class VerifierSpec:
    """A network to train: `kind` names its examples, `heads` its outputs.

    `policies` holds the role whose rollouts label each head, `best_of_k` the K of its target.
    """

    name: str
    kind: str
    heads: tuple[str, ...]
    policies: tuple[str, ...]
    best_of_k: tuple[int, ...]
    steps: int
    targets: str


def verifier_specs(settings: RunSettings) -> list[VerifierSpec]:
    """Return every network that the settings ask for, the long trainings first."""
    train, steps = settings.train, settings.train.steps
    specs = [
        _single("q", "base", steps, train.targets),
        VerifierSpec("orm_all", "orm_all", ("orm_all",), ("base",), (1,), steps, ""),
        VerifierSpec("orm_seed", "orm_seed", ("orm_seed",), ("base",), (1,), steps, ""),
    ]
    if settings.evaluate.prover_value == "head":
        ks = sorted({settings.evaluate.main_k, *settings.evaluate.best_of_k})
        heads = tuple(f"q_bo{k}" for k in ks)
        base = ("base",) * len(ks)
        specs.append(VerifierSpec(BEST_OF, "q", heads, base, tuple(ks), steps, train.targets))
    if train.compare_targets and train.targets == "passing":
        specs.append(_single("q_counts", "base", steps, "counts"))
    return [*specs, *_prover_specs(settings)]


def _prover_specs(settings: RunSettings) -> list[VerifierSpec]:
    label, train = settings.label, settings.train
    roles: tuple[str, ...] = tuple(dict.fromkeys(label.provers))
    if not roles or not label.num_prover_rollouts or not label.prover_shards:
        return []
    if train.heads == "shared" and len(roles) > 1:
        heads = tuple(f"q_{role}" for role in roles)
        ones = (1,) * len(roles)
        return [VerifierSpec(SHARED, "q", heads, roles, ones, train.prover_steps, train.targets)]
    return [_single(f"q_{role}", role, train.prover_steps, train.targets) for role in roles]


def _single(name: str, role: str, steps: int, targets: str) -> VerifierSpec:
    return VerifierSpec(name, "q", (name,), (role,), (1,), steps, targets)


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
        planner.unit(spec, [*samples, *_read_by(spec, labels, policies)])
        for spec in verifier_specs(settings)
    ]


def _of_seed(manifests: Iterable[Manifest], pipeline_seed: int) -> list[Manifest]:
    return [
        manifest for manifest in manifests if Shard.of(manifest.unit).pipeline_seed == pipeline_seed
    ]


def _read_by(
    spec: VerifierSpec, labels: Iterable[Manifest], policies: Mapping[str, PolicySpec]
) -> list[Manifest]:
    """Return the label units a network reads: its policies' ones, held-out ones for `orm_seed`."""
    wanted = {policies[role].policy_id for role in spec.policies}
    return [
        manifest
        for manifest in labels
        if (work := LabelWork.of(manifest.unit)).policy_id in wanted
        and (spec.kind != "orm_seed" or work.split != "train")
    ]


@dataclass(frozen=True)
class _Planner:
    """Names units with what all networks of a pipeline seed have in common."""

    settings: RunSettings
    policies: Mapping[str, PolicySpec]
    pipeline_seed: int

    def unit(self, spec: VerifierSpec, manifests: Sequence[Manifest]) -> Unit:
        """Return the unit that trains a network on what some manifests hold."""
        train = self.settings.train.model_dump(mode="json")
        ids = {role: self.policies[role].policy_id for role in ("base", *spec.policies)}
        work = TrainWork(
            domain=domain_key(self.settings),
            pipeline_seed=self.pipeline_seed,
            verifier=spec.name,
            kind=spec.kind,
            heads=spec.heads,
            policies=ids,
            head_policies=tuple(ids[role] for role in spec.policies),
            best_of_k=spec.best_of_k,
            targets=spec.targets,
            steps=spec.steps,
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
