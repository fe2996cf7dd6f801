"""Training of the embedded policy from scratch, with the weights that it keeps and its log.

Shapes: B batch, T tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from pav.models.policy.corpus import IGNORED, Corpus
from pav.models.policy.embedded import build_config
from pav.models.policy.number_types import fast_number_type
from pav.models.policy.optimiser import Optimiser, Schedule

LOG_EVERY = 50
# Optimiser steps between two reports of progress.
REPORT_EVERY = 10
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.99)
CLIP_NORM = 1.0
# Checkpoints are moving averages, which makes a checkpoint before the end of the decay far better.
AVERAGE_DECAY = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlan:
    """The size of a policy and how it is trained; lengths in optimiser steps.

    The weights after each of `kept_steps` are kept.
    """

    num_layers: int
    hidden_size: int
    intermediate_size: int
    num_heads: int
    steps: int
    kept_steps: frozenset[int]
    batch_size: int
    learning_rate: float
    warmup_steps: int
    seed: int


def response_loss(
    model: Any, batch: tuple[torch.Tensor, torch.Tensor], *, number_type: torch.dtype
) -> torch.Tensor:
    """Return the mean cross-entropy in nats of the response tokens of a batch, as a scalar."""
    inputs_BT, targets_BT = batch
    is_response_BT = targets_BT != IGNORED
    is_mixed = number_type != torch.float32
    with torch.autocast(inputs_BT.device.type, number_type, enabled=is_mixed):
        # Right padding needs no mask: a causal model never looks ahead at it.
        hidden = model.model(input_ids=inputs_BT, use_cache=False).last_hidden_state
        logits = model.lm_head(hidden[is_response_BT])
    return functional.cross_entropy(logits.float(), targets_BT[is_response_BT])


class Training:
    """One training of the embedded policy; `state` and `load_state` let it go on after a kill."""

    def __init__(self, plan: PolicyPlan, tokenizer: Any, *, device: str) -> None:
        self.rows: list[dict[str, object]] = []
        self.kept: dict[int, dict[str, torch.Tensor]] = {}
        self._plan, self._device = plan, device
        self._number_type = fast_number_type(device)
        self._loss_sum = 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            self.model: Any = LlamaForCausalLM(build_config(plan, tokenizer)).to(device)
        self._average = _copy(self.model.state_dict())
        # At 40 tokens the backward pass of the fused CPU kernel takes longer than the rest of the
        # step.
        self.model.set_attn_implementation("eager" if device == "cpu" else "sdpa")
        self._optimiser = Optimiser(self.model, _schedule(plan))

    @property
    def step(self) -> int:
        """How many optimiser steps were taken."""
        return self._optimiser.step

    def run(
        self,
        corpus: Corpus,
        held_out: Corpus | None,
        *,
        save_every: int,
        save: Callable[[bytes], None],
        progress: Callable[[int, float], None],
    ) -> None:
        """Train to the end.

        `save` gets the whole state after every so many steps, `progress` the step and its loss.
        """
        while not self._optimiser.is_done:
            loss = self.advance(corpus, held_out)
            if self.step % save_every == 0 and not self._optimiser.is_done:
                save(self.state())
            if self.step % REPORT_EVERY == 0 or self._optimiser.is_done:
                progress(self.step, loss)

    def advance(self, corpus: Corpus, held_out: Corpus | None) -> float:
        """Take one optimiser step and return its loss in nats per token."""
        batch = self._batch(corpus, step=self.step)
        loss = self._optimiser.advance([batch], self._loss).item()
        self._loss_sum += loss
        self._move_average()
        if self.step % LOG_EVERY == 0 or self._optimiser.is_done:
            self._log(held_out)
        if self.step in self._plan.kept_steps:
            self.kept[self.step] = _copy(self._average)
        return loss

    def kept_model(self, step: int) -> Any:
        """Return the model at the weights kept after a step, where it is left."""
        self.model.load_state_dict(self.kept[step])
        return self.model

    def state(self) -> bytes:
        """Return all that the rest of the training depends on."""
        return self._optimiser.state(
            {
                "rows": self.rows,
                "loss_sum": self._loss_sum,
                "kept": self.kept,
                "average": self._average,
            }
        )

    def load_state(self, data: bytes) -> None:
        """Go back to where `state` was taken."""
        state = self._optimiser.load_state(data)
        self.rows, self._loss_sum = state["rows"], state["loss_sum"]
        self.kept, self._average = state["kept"], state["average"]

    def _move_average(self) -> None:
        """Take the weights into their average, which begins when the warm-up has ended."""
        age = max(0, self.step - self._plan.warmup_steps)
        # A plain mean while it is young, so that no early weights linger in it.
        decay = min(AVERAGE_DECAY, age / (age + 1))
        weights = self.model.state_dict()
        for name, average in self._average.items():
            average.lerp_(weights[name], 1 - decay)

    def _batch(self, corpus: Corpus, *, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, targets = corpus.batch(self._plan.batch_size, seed=self._plan.seed, step=step)
        return inputs.to(self._device), targets.to(self._device)

    def _loss(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return response_loss(self.model, batch, number_type=self._number_type)

    def _log(self, held_out: Corpus | None) -> None:
        """Add a row: the mean loss since the last one, and that of one fixed held-out batch."""
        num_steps = (self.step - 1) % LOG_EVERY + 1
        rate = self._optimiser.learning_rate
        row: dict[str, object] = {"name": "policy", "step": self.step, "learning_rate": rate}
        row["train_loss"] = self._loss_sum / num_steps
        if held_out is not None:
            with torch.no_grad():
                row["validation_loss"] = self._loss(self._batch(held_out, step=0)).item()
        self.rows.append(row)
        self._loss_sum = 0.0


def _schedule(plan: PolicyPlan) -> Schedule:
    return Schedule(
        steps=plan.steps,
        warmup_steps=plan.warmup_steps,
        learning_rate=plan.learning_rate,
        betas=BETAS,
        weight_decay=WEIGHT_DECAY,
        clip_norm=CLIP_NORM,
    )


def _copy(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}
