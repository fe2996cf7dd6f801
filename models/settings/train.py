"""Verifiers."""

from typing import Literal

from pydantic import Field

from pav.models.settings.base import Settings


class TrainSettings(Settings):
    """Verifiers."""

    steps: int = Field(1500, ge=1, le=10**9)
    """Most optimiser steps of the ORM and of the Q network."""
    prover_steps: int = Field(600, ge=1, le=10**9)
    """Most optimiser steps of each prover's Q network."""
    batch_size: int = Field(128, ge=1, le=65_536)
    """Solutions in one optimiser step."""
    learning_rate: float = Field(1e-3, gt=0, lt=1)
    """Highest learning rate of AdamW."""
    warmup_steps: int = Field(50, ge=0, le=10**9)
    """Steps of linear warm-up; cosine decay follows."""
    weight_decay: float = Field(0.01, ge=0, le=10)
    """AdamW's weight decay."""
    eval_every: int = Field(150, ge=1, le=10**9)
    """Optimiser steps between two looks at the validation loss (and two saved states)."""
    patience: int = Field(5, ge=1, le=10**9)
    """Looks at the validation loss without improvement after which training stops; the best
    checkpoint is kept."""
    targets: Literal["counts", "passing"] = "passing"
    """`counts`: each prefix's own rollouts; `passing`: also every rollout as a one-sample target
    of each later prefix it passes through."""
    balance: bool = False
    """Draw values under and over 0.5 equally often, with inverse weights in the loss."""
    rephrase: float = Field(0.5, ge=0, le=1)
    """Share of solutions shown under another prompt of the same problem (countdown: the hand in
    another order)."""
    heads: Literal["separate", "shared"] = "separate"
    """`separate`: each prover has its own network; `shared`: the provers are heads of one
    network."""
    compare_targets: bool = False
    """Train the Q network on both kinds of targets and report both."""
