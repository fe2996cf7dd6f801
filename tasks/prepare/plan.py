"""Which unit trains the embedded policy, and when it can."""

from pav.models.domains import domain_key, lessons_of
from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.tasks.prepare.policies import ROLES, check_policies, given_folder
from pav.tasks.store.units import Manifest, Unit

STAGE = "pretrain"
# Raised when the training, its data or the tokenizer change what comes out.
REVISION = 3
# Settings that decide where checkpoints come from or how often states are saved, not what
# the training ends with.
_NOT_IN_UNIT = {"weak", "base", "strong", "save_every"}


def check_trainable(settings: RunSettings) -> None:
    """Raise InputError where a role needs the embedded policy and the domain cannot train it."""
    missing = [role for role in ROLES if not given_folder(settings.prepare, role)]
    if missing and not lessons_of(domain_key(settings)):
        names = ", ".join(f"prepare.{role}" for role in missing)
        raise InputError(
            f"{names}: expected checkpoint folders, as the domain {settings.problems.domain!r} has "
            "no demonstrations to train the embedded policy on (countdown has), got none; weak "
            "and strong may be the base's folder"
        )


def plan_pretrain(settings: RunSettings, problems: Manifest) -> list[Unit]:
    """Return the one training unit; none where all three policies are given checkpoints."""
    prepare = settings.prepare
    check_policies(prepare)
    if all(given_folder(prepare, role) for role in ROLES):
        return []
    check_trainable(settings)
    parameters = prepare.model_dump(mode="json", exclude=_NOT_IN_UNIT)
    key = domain_key(settings)
    parameters["domain"] = key
    if lessons := lessons_of(key):
        parameters |= lessons.parameters(settings)
    return [Unit(STAGE, "embedded policy", REVISION, parameters, {"problems": problems.ref})]
