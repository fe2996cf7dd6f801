"""The training of a verifier: a function of its data, settings and seed, resumable."""

import copy
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pav.models.policy.number_types import fast_number_type
from pav.models.policy.optimiser import Optimiser, Schedule
from pav.models.verifiers.batches import (
    Batch,
    EncodedSequence,
    Sampler,
    collate,
    mean_values,
    rephrase,
)
from pav.models.verifiers.kind import Loss
from pav.models.verifiers.logits import batch_logits

# Sequences in one forward and backward pass; the gradients of a batch's parts add up.
PART = 32
# Sequences in one forward pass of a look at the validation loss.
VALIDATION_BATCH = 256
# Optimiser steps between two reports of progress.
REPORT_EVERY = 10
BETAS = (0.9, 0.98)
CLIP_NORM = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """How a verifier is trained; all lengths in optimiser steps."""

    steps: int
    batch_size: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    eval_every: int
    patience: int
    balance: bool
    rephrase: float
    seed: int


@dataclass(slots=True)
class Look:
    """One look at a training: mean training loss since the last one, validation loss, rate."""

    step: int
    train_loss: float
    validation_loss: float
    learning_rate: float


@dataclass
class State:
    """All that a training needs to go on, besides its data: saved whole, restored bit for bit."""

    step: int = 0
    looks: list[Look] = field(default_factory=list)
    best_loss: float = math.inf
    best_step: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)


class Trainer:
    """Trains a token classifier on sequences; `run` goes on from where `restore` put it."""

    def __init__(
        self,
        model: Any,
        training: Sequence[EncodedSequence],
        validation: Sequence[EncodedSequence],
        *,
        plan: TrainingPlan,
        pad_id: int,
        loss: Loss,
    ) -> None:
        self._model, self._plan, self._pad_id, self._loss_of = model, plan, pad_id, loss
        self._device = next(model.parameters()).device
        self._half = fast_number_type(str(self._device)) == torch.bfloat16
        self._training = training
        self._validation = sorted(validation, key=lambda each: len(each.token_ids))
        self._validation_weight = _total_weight(validation)
        lengths = np.array([len(each.token_ids) for each in training])
        self._sampler = Sampler(
            lengths, mean_values(training), plan.batch_size, plan.seed, plan.balance
        )
        # The mean weight of a batch, so that each batch's gradient is unbiased.
        self._normaliser = _total_weight(training) / self._sampler.batches_per_epoch
        self._optimiser = Optimiser(model, _schedule(plan))
        self.state = State()

    def run(
        self,
        *,
        save: Callable[[bytes], None] = lambda state: None,
        progress: Callable[[int, float], None] = lambda step, loss: None,
    ) -> State:
        """Train to the end, then put the best weights into the model; return the final state.

        `save` gets the whole state at every look, `progress` the step and a recent loss.
        """
        losses: list[Tensor] = []
        batches = self._batches()
        while not self._optimiser.is_done and not self._is_stale:
            losses.append(self._optimiser.advance(next(batches), self._training_loss))
            self.state.step = self._optimiser.step
            if self.state.step % self._plan.eval_every == 0 or self._optimiser.is_done:
                self._look(float(torch.stack(losses).mean()))
                losses = []
                save(self.save())
            if self.state.step % REPORT_EVERY == 0:
                progress(self.state.step, self._recent_loss(losses))
        self._model.load_state_dict(self.state.best)
        return self.state

    def save(self) -> bytes:
        """Return the whole state as bytes."""
        return self._optimiser.state(dataclasses.asdict(self.state))

    def restore(self, data: bytes) -> None:
        """Go back to a state that `save` returned."""
        kept = self._optimiser.load_state(data)
        looks = [Look(**look) for look in kept.pop("looks")]
        self.state = State(**kept, looks=looks)

    def _recent_loss(self, losses: Sequence[Tensor]) -> float:
        return float(losses[-1]) if losses else self.state.looks[-1].train_loss

    @property
    def _is_stale(self) -> bool:
        looks = self.state.looks
        return bool(looks) and looks[-1].step - self.state.best_step >= (
            self._plan.patience * self._plan.eval_every
        )

    def _batches(self) -> Iterator[list[Batch]]:
        """Yield the batches from the current step on, each cut into parts of like length."""
        epoch, first = 0, 0
        while True:
            batches = self._sampler.epoch(epoch)
            for index in range(max(0, self.state.step - first), len(batches)):
                numbers, factors = batches[index]
                random = np.random.default_rng([self._plan.seed, first + index])
                shown = rephrase(
                    [self._training[number] for number in numbers], self._plan.rephrase, random
                )
                yield [
                    collate(
                        shown[start : start + PART],
                        factors[start : start + PART].tolist(),
                        pad_id=self._pad_id,
                    )
                    for start in range(0, len(shown), PART)
                ]
            epoch, first = epoch + 1, first + len(batches)

    def _training_loss(self, part: Batch) -> Tensor:
        return self._loss(part, self._normaliser)

    def _loss(self, batch: Batch, normaliser: float) -> Tensor:
        logits = batch_logits(self._model, batch, half=self._half)
        targets = torch.from_numpy(batch.targets_NH).to(self._device)
        weights = torch.from_numpy(batch.weights_NH).to(self._device)
        return self._loss_of(logits, targets, weights, normaliser=normaliser)

    def _look(self, train_loss: float) -> None:
        state = self.state
        rate = self._optimiser.learning_rate
        state.looks.append(Look(state.step, train_loss, self._validate(), rate))
        if state.looks[-1].validation_loss < state.best_loss:
            state.best_loss, state.best_step = state.looks[-1].validation_loss, state.step
            state.best = copy.deepcopy(self._model.state_dict())

    @torch.inference_mode()
    def _validate(self) -> float:
        self._model.eval()
        total = 0.0
        for start in range(0, len(self._validation), VALIDATION_BATCH):
            part = self._validation[start : start + VALIDATION_BATCH]
            batch = collate(part, [1.0] * len(part), pad_id=self._pad_id)
            total += float(self._loss(batch, self._validation_weight))
        return total


def _schedule(plan: TrainingPlan) -> Schedule:
    return Schedule(
        steps=plan.steps,
        warmup_steps=plan.warmup_steps,
        learning_rate=plan.learning_rate,
        betas=BETAS,
        weight_decay=plan.weight_decay,
        clip_norm=CLIP_NORM,
    )


def _total_weight(sequences: Sequence[EncodedSequence]) -> float:
    return max(float(sum(sequence.weights.sum() for sequence in sequences)), 1e-9)
