"""Stage `pretrain`: trains the embedded policy from scratch and keeps three checkpoints of it.

Shapes: B batch, T tokens.
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from pav.models.domains import domain_key
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.policy.number_types import fast_number_type
from pav.models.policy.schedules import warmup_cosine
from pav.models.settings import PrepareSettings, RunSettings
from pav.tasks.engine.checkpoints import checkpoint_files
from pav.tasks.prepare.exercises import IGNORED, Corpus, corpora
from pav.tasks.prepare.plan import REVISION, STAGE, plan_pretrain
from pav.tasks.prepare.policies import kept_steps
from pav.tasks.problems.published import read_problems
from pav.tasks.runner.devices import cores_per_worker
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.partials import load_partial, save_partial
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

__all__ = [
    "REVISION",
    "STAGE",
    "Training",
    "open_worker",
    "plan_pretrain",
]

Progress = Callable[[str, float, float], None]
LOG_EVERY = 50
REPORT_EVERY = 10
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.99)
CLIP_NORM = 1.0
# Checkpoints are moving averages: one taken before the rate has decayed is far better so.
AVERAGE_DECAY = 0.99
# More threads than this only wait for each other on so small a network.
_MOST_THREADS = 2


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

    def __init__(self, settings: PrepareSettings, tokenizer: Any, *, device: str) -> None:
        self.step = 0
        self.rows: list[dict[str, object]] = []
        self.kept: dict[int, dict[str, torch.Tensor]] = {}
        self.settings, self._device = settings, device
        self._number_type = fast_number_type(device)
        self._loss_sum = 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model: Any = LlamaForCausalLM(build_config(settings, tokenizer)).to(device)
        self._average = _copy(self.model.state_dict())
        # At 40 tokens the backward pass of the fused CPU kernel takes longer than all the rest.
        self.model.set_attn_implementation("eager" if device == "cpu" else "sdpa")
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, betas=BETAS,
            weight_decay=WEIGHT_DECAY, fused=True,
        )  # fmt: skip

    def advance(self, corpus: Corpus, held_out: Corpus | None) -> float:
        """Take one optimiser step and return its loss in nats per token."""
        settings = self.settings
        rate = settings.learning_rate * warmup_cosine(
            self.step, warmup_steps=settings.warmup_steps, total_steps=settings.strong_steps
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        loss = self._loss(corpus, step=self.step)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self._optimizer.step()
        self.step += 1
        self._loss_sum += loss.item()
        self._move_average()
        if self.step % LOG_EVERY == 0 or self.step == settings.strong_steps:
            self._log(rate, held_out)
        if self.step in kept_steps(settings).values():
            self.kept[self.step] = _copy(self._average)
        return loss.item()

    def checkpoint(self, step: int, tokenizer: Any) -> dict[str, bytes]:
        """Return the folder of the checkpoint kept after a step; the model is left at it."""
        self.model.load_state_dict(self.kept[step])
        return checkpoint_files(self.model, tokenizer)

    def state(self) -> bytes:
        """Return all that the rest of the training depends on."""
        sink = io.BytesIO()
        torch.save(
            {
                "step": self.step,
                "rows": self.rows,
                "loss_sum": self._loss_sum,
                "kept": self.kept,
                "average": self._average,
                "model": self.model.state_dict(),
                "optimizer": self._optimizer.state_dict(),
            },
            sink,
        )
        return sink.getvalue()

    def load_state(self, data: bytes) -> None:
        """Go back to where `state` was taken."""
        state = torch.load(io.BytesIO(data), map_location=self._device, weights_only=True)
        self.step, self.rows = state["step"], state["rows"]
        self.kept, self._loss_sum = state["kept"], state["loss_sum"]
        self._average = state["average"]
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _move_average(self) -> None:
        """Take the weights into their average, which begins when the warm-up has ended."""
        age = max(0, self.step - self.settings.warmup_steps)
        # A plain mean while it is young, so that no early weights linger in it.
        decay = min(AVERAGE_DECAY, age / (age + 1))
        weights = self.model.state_dict()
        for name, average in self._average.items():
            average.lerp_(weights[name], 1 - decay)

    def _loss(self, corpus: Corpus, *, step: int) -> torch.Tensor:
        inputs, targets = corpus.batch(self.settings.batch_size, seed=self.settings.seed, step=step)
        batch = inputs.to(self._device), targets.to(self._device)
        return response_loss(self.model, batch, number_type=self._number_type)

    def _log(self, rate: float, held_out: Corpus | None) -> None:
        """Add a row: the mean loss since the last one, and that of one fixed held-out batch."""
        num_steps = (self.step - 1) % LOG_EVERY + 1
        row: dict[str, object] = {"name": "policy", "step": self.step, "learning_rate": rate}
        row["train_loss"] = self._loss_sum / num_steps
        if held_out is not None:
            with torch.no_grad():
                row["validation_loss"] = self._loss(held_out, step=0).item()
        self.rows.append(row)
        self._loss_sum = 0.0


def _copy(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that trains the embedded policy, going on from its last saved state."""

    def execute(unit: Unit) -> Outcome:
        prepare = settings.prepare
        tokenizer = build_tokenizer()
        problems = read_problems(store, unit.inputs["problems"].unit_id)
        train, held_out = corpora(
            domain_key(settings), problems.values(), tokenizer,
            tell=lambda text: progress(text, 0, prepare.strong_steps),
        )  # fmt: skip
        training = Training(prepare, tokenizer, device=device)
        if (saved := load_partial(store, unit)) is not None:
            training.load_state(saved)
        clock = _Clock(progress, training.step, prepare.strong_steps)
        with _idle_cores():
            while training.step < prepare.strong_steps:
                loss = training.advance(train, held_out)
                is_last = training.step == prepare.strong_steps
                if training.step % prepare.save_every == 0 and not is_last:
                    save_partial(store, unit, training.state())
                clock.report(training.step, loss)
        return _outcome(unit, training, tokenizer)

    return execute


@contextmanager
def _idle_cores() -> Iterator[None]:
    """Use the cores of the other workers, which have nothing to do while the policy is trained."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(before, min(_MOST_THREADS, cores_per_worker(1))))
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Clock:
    """Tells progress with the loss and the rate of this process's steps."""

    def __init__(self, progress: Progress, first: int, total: int) -> None:
        self._progress, self._first, self._total = progress, first, total
        self._started = time.perf_counter()

    def report(self, step: int, loss: float) -> None:
        if step % REPORT_EVERY and step != self._total:
            return
        rate = (step - self._first) / (time.perf_counter() - self._started)
        self._progress(f"training policy: loss {loss:.3f}, {rate:.1f} steps/s", step, self._total)


def _outcome(unit: Unit, training: Training, tokenizer: Any) -> Outcome:
    table = frame("training_runs", [row | {"unit_id": unit.unit_id} for row in training.rows])
    data = to_parquet("training_runs", table)
    outputs = [Output("training_runs.parquet", data, table.height)]
    for role, step in kept_steps(training.settings).items():
        files = training.checkpoint(step, tokenizer)
        outputs += [Output(f"{role}/{name}", content) for name, content in files.items()]
    return Outcome(tuple(outputs), {"optimiser_steps": float(training.step)})
