"""The policies."""

from typing import Literal

from pydantic import Field

from pav.models.settings.base import LARGEST_SEED, Settings

PolicyName = Literal["weak", "base", "strong"]


class PrepareSettings(Settings):
    """The three policies: trained from scratch, or local Hugging Face checkpoint folders."""

    base: str = ""
    """Checkpoint folder of the base policy; empty trains the embedded one."""
    weak: str = ""
    """Checkpoint folder of the weak prover; empty takes an earlier one of the embedded policy."""
    strong: str = ""
    """Checkpoint folder of the strong prover; empty takes a later one of the embedded policy."""
    num_layers: int = Field(3, ge=1, le=64)
    """Transformer layers of the embedded policy."""
    hidden_size: int = Field(128, ge=16, le=8192)
    """Width of the embedded policy."""
    intermediate_size: int = Field(384, ge=16, le=65_536)
    """Width of its feed-forward layers."""
    num_heads: int = Field(4, ge=1, le=1024)
    """Attention heads."""
    weak_steps: int = Field(500, ge=1, le=10**9)
    """Optimiser steps after which the weak prover is kept."""
    base_steps: int = Field(1000, ge=1, le=10**9)
    """Optimiser steps after which the base policy is kept."""
    strong_steps: int = Field(1500, ge=1, le=10**9)
    """Optimiser steps in all; the strong prover is the last checkpoint."""
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
