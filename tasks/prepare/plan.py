"""Which unit trains the embedded policy, and when it can."""

from pav.models.domains import domain_key
from pav.models.domains.countdown.solver import MOST_LISTED
from pav.models.errors import InputError
from pav.models.settings import PrepareSettings, RunSettings
from pav.tasks.prepare.policies import check_policies
from pav.tasks.store.units import Manifest, Unit, Work

STAGE = "pretrain"
# Raised when the training, its data or the tokenizer change what comes out.
REVISION = 4
# Raised when demonstrations of more than four numbers change; policies that see none keep theirs.
LARGE_HANDS_REVISION = 1
# Settings that decide where checkpoints come from or how often states are saved, not what
# the training ends with.
_NOT_IN_UNIT = {"policies", "save_every"}


class PretrainWork(Work):
    """The policy to train, how, and after how many optimiser steps weights are kept, by name.

    `large_hands` is the revision of their demonstrations, where problems may have such hands.
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
    large_hands: int | None = None

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return max(self.kept_steps.values())


def check_trainable(settings: RunSettings) -> None:
    """Raise InputError where a role needs the embedded policy and the domain cannot train it."""
    missing = list(settings.prepare.kept_steps)
    if missing and settings.problems.domain != "countdown":
        names = ", ".join(f"prepare.policies.{name}.path" for name in missing)
        raise InputError(
            f"{names}: expected checkpoint folders, as the embedded policy can only be trained on "
            f"countdown, got none with problems.domain={settings.problems.domain}; a "
            "prover may be the base's folder, or be left out"
        )


def plan_pretrain(settings: RunSettings, problems: Manifest) -> list[Unit]:
    """Return the one training unit; none where all policies are given checkpoints."""
    prepare = settings.prepare
    check_policies(prepare)
    if not prepare.kept_steps:
        return []
    check_trainable(settings)
    large_hands = LARGE_HANDS_REVISION if has_large_hands(settings) else None
    work = pretrain_work(prepare, domain_key(settings.problems), large_hands=large_hands)
    inputs = {"problems": problems.ref}
    return [Unit(STAGE, "embedded policy", REVISION, work.parameters(), inputs)]


def pretrain_work(
    prepare: PrepareSettings, domain: str, *, large_hands: int | None = None
) -> PretrainWork:
    """Return what trains the embedded policy on a domain, named by its key."""
    settings = prepare.model_dump(exclude=_NOT_IN_UNIT)
    return PretrainWork(
        domain=domain, kept_steps=prepare.kept_steps, large_hands=large_hands, **settings
    )


def has_large_hands(settings: RunSettings) -> bool:
    """Return whether problems may have so many numbers that their demonstrations are drawn."""
    from_file = bool(settings.problems.path or settings.sample.path)
    return from_file or max(settings.problems.num_numbers) > MOST_LISTED
