"""The steps of every training, whatever its loss: AdamW on a schedule, resumable bit for bit."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from pav.models.policy.schedules import warmup_cosine

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How far weights move; lengths in optimiser steps. The rate warms up, then falls to zero."""

    steps: int
    warmup_steps: int
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float
    clip_norm: float


class Optimiser:
    """Moves the weights of a model; `load_state` goes on from `state` as if nothing had happened.

    The owner decides when a training ends, and what it keeps besides weights.
    """

    def __init__(self, model: Any, schedule: Schedule) -> None:
        self.step = 0
        self._model, self._schedule = model, schedule
        self._adamw = torch.optim.AdamW(
            model.parameters(), lr=schedule.learning_rate, betas=schedule.betas,
            weight_decay=schedule.weight_decay, fused=True,
        )  # fmt: skip

    @property
    def learning_rate(self) -> float:
        """The rate of the last step taken."""
        return float(self._adamw.param_groups[0]["lr"])

    @property
    def is_done(self) -> bool:
        """Whether all steps of the schedule are taken."""
        return self.step >= self._schedule.steps

    def advance(self, parts: Iterable[Part], loss: Callable[[Part], Tensor]) -> Tensor:
        """Take one step on a batch and return its loss; the losses of its parts add up.

        One part is in memory at a time, so a batch may be larger than what a pass holds.
        """
        self._set_rate()
        self._model.train()
        self._adamw.zero_grad(set_to_none=True)
        losses = []
        for part in parts:
            part_loss = loss(part)
            torch.autograd.backward(part_loss)
            losses.append(part_loss.detach())
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._schedule.clip_norm)
        self._adamw.step()
        self.step += 1
        return torch.stack(losses).sum()

    def state(self, owner: Mapping[str, Any]) -> bytes:
        """Return all that the rest of a training depends on; `owner` is what its owner adds."""
        sink = io.BytesIO()
        torch.save(
            {
                "step": self.step,
                "model": self._model.state_dict(),
                "optimizer": self._adamw.state_dict(),
                "owner": dict(owner),
            },
            sink,
        )
        return sink.getvalue()

    def load_state(self, data: bytes) -> dict[str, Any]:
        """Go back to where `state` was taken; return what the owner added."""
        device = next(self._model.parameters()).device
        state = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
        self.step = state["step"]
        self._model.load_state_dict(state["model"])
        self._adamw.load_state_dict(state["optimizer"])
        owner: dict[str, Any] = state["owner"]
        return owner

    def _set_rate(self) -> None:
        schedule = self._schedule
        factor = warmup_cosine(
            self.step, warmup_steps=schedule.warmup_steps, total_steps=schedule.steps
        )
        for group in self._adamw.param_groups:
            group["lr"] = schedule.learning_rate * factor
