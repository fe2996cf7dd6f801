"""Which unit trains the embedded policy, and when it can."""

from typing import Any

from pav.models.domains import domain_key, lessons_of
from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.tasks.prepare.policies import check_policies
from pav.tasks.store.units import Manifest, Unit, Work

STAGE = "pretrain"
# Raised when the training, its data or the tokenizer change what comes out.
REVISION = 4
# Settings that decide where checkpoints come from or how often states are saved, not what
# the training ends with.
_NOT_IN_UNIT = {"policies", "save_every"}


class PretrainWork(Work):
    """The policy to train, how, and after how many optimiser steps weights are kept, by name.

    `lessons` is what decides the demonstrations besides the problems and the domain.
    """

    domain: str
    num_layers: int
    hidden_size: int
    intermediate_size: int
    num_heads: int
    kept_steps: dict[str, int]
    batch_size: int
    learning_rate: float
    warmup_steps: int
    seed: int
    lessons: dict[str, Any]

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return max(self.kept_steps.values())


def check_trainable(settings: RunSettings) -> None:
    """Raise InputError where a role needs the embedded policy and the domain cannot train it."""
    missing = list(settings.prepare.kept_steps)
    if missing and not lessons_of(domain_key(settings)):
        names = ", ".join(f"prepare.policies.{name}.path" for name in missing)
        raise InputError(
            f"{names}: expected checkpoint folders, as the domain {settings.problems.domain!r} has "
            "no demonstrations to train the embedded policy on (countdown has), got none; a prover "
            "may be the base's folder, or be left out"
        )


def plan_pretrain(settings: RunSettings, problems: Manifest) -> list[Unit]:
    """Return the one training unit; none where all policies are given checkpoints."""
    prepare = settings.prepare
    check_policies(prepare)
    if not prepare.kept_steps:
        return []
    check_trainable(settings)
    work = pretrain_work(settings)
    inputs = {"problems": problems.ref}
    return [Unit(STAGE, "embedded policy", REVISION, work.parameters(), inputs)]


def pretrain_work(settings: RunSettings) -> PretrainWork:
    """Return what trains the embedded policy on the domain of the settings."""
    prepare, key = settings.prepare, domain_key(settings)
    lessons = lessons_of(key)
    return PretrainWork(
        domain=key,
        kept_steps=prepare.kept_steps,
        lessons=dict(lessons.parameters(settings)) if lessons else {},
        **prepare.model_dump(exclude=_NOT_IN_UNIT),
    )
