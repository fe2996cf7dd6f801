"""The policies."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from pav.models.settings.base import LARGEST_SEED, Settings

# Names of policies are parts of verifiers' names, q_NAME; these are verifiers of their own.
_TAKEN = ("counts", "provers", "bok")


class PolicySettings(Settings):
    """A policy: a checkpoint folder, or the embedded policy after some optimiser steps."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*$", max_length=32)
    """What the policy is called: `base`, which is improved, or a prover."""
    path: str = ""
    """Local Hugging Face checkpoint folder; empty keeps the embedded policy."""
    steps: int = Field(1000, ge=1, le=10**9)
    """Optimiser steps of the embedded policy after which this policy is kept."""


def _check_names(policies: tuple[PolicySettings, ...]) -> tuple[PolicySettings, ...]:
    names = [policy.name for policy in policies]
    is_free = all(name not in _TAKEN and not name.startswith("bo") for name in names)
    if len(set(names)) < len(names) or "base" not in names or not is_free:
        words = (
            f"policies of distinct names, `base` among them, none called boK, {', '.join(_TAKEN)}, "
            "or anything else that begins with bo, as best-of-K provers do"
        )
        raise PydanticCustomError("policies", "{words}", {"words": words})
    return policies


class PrepareSettings(Settings):
    """The policies: trained from scratch, or local Hugging Face checkpoint folders."""

    policies: Annotated[tuple[PolicySettings, ...], AfterValidator(_check_names)] = (
        PolicySettings(name="weak", steps=500),
        PolicySettings(name="base", steps=1000),
        PolicySettings(name="strong", steps=1500),
    )
    """The base and the provers, each by its name. The training of the embedded policy ends at the
    highest number of steps. `prepare.policies.weak.path=FOLDER` sets one value of one policy."""
    num_layers: int = Field(3, ge=1, le=64)
    """Transformer layers of the embedded policy."""
    hidden_size: int = Field(128, ge=16, le=8192)
    """Width of the embedded policy."""
    intermediate_size: int = Field(384, ge=16, le=65_536)
    """Width of its feed-forward layers."""
    num_heads: int = Field(4, ge=1, le=1024)
    """Attention heads."""
    batch_size: int = Field(64, ge=1, le=65_536)
    """Solver paths in one optimiser step."""
    learning_rate: float = Field(2e-3, gt=0, lt=1)
    """Highest learning rate of AdamW."""
    warmup_steps: int = Field(50, ge=0, le=10**9)
    """Steps of linear warm-up; cosine decay to zero follows."""
    save_every: int = Field(200, ge=1, le=10**9)
    """Optimiser steps between two saved training states."""
    seed: int = Field(0, ge=0, le=LARGEST_SEED)
    """Seed of initialisation and of the order of paths."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the policies, in their order."""
        return tuple(policy.name for policy in self.policies)

    def policy(self, name: str) -> PolicySettings:
        """Return a policy by its name; KeyError where there is none."""
        return {policy.name: policy for policy in self.policies}[name]

    @property
    def kept_steps(self) -> dict[str, int]:
        """The policies that the embedded one is trained for, each with its optimiser steps."""
        return {policy.name: policy.steps for policy in self.policies if not policy.path}
