"""Stage `train`: fits the verifiers and publishes them with their held-out scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from transformers import AutoConfig, AutoModelForTokenClassification
from transformers.utils import logging

from pav.models.domains import domain
from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.models.verifiers.data import TargetSequence
from pav.models.verifiers.kinds import KINDS
from pav.models.verifiers.training import Look, State, Trainer, TrainingPlan
from pav.tasks.engine.checkpoints import load_tokenizer
from pav.tasks.engine.scorer import MODEL_FOLDER, verifier_files
from pav.tasks.engine.tokens import Codec
from pav.tasks.prepare.policies import policy_folder
from pav.tasks.problems.published import check_disjoint, read_problems
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.partials import load_partial, save_partial
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit
from pav.tasks.train.card_examples import CardExample, card_example
from pav.tasks.train.cards import verifier_card
from pav.tasks.train.data import (
    Examples,
    encode,
    encode_rephrased,
    make_examples,
    read_published,
)
from pav.tasks.train.held_out import HeldOut, calibrate, score_held_out
from pav.tasks.train.plan import REVISION, STAGE, TrainWork

__all__ = ["REVISION", "STAGE", "open_worker"]

Progress = Callable[[str, float, float], None]


@dataclass(frozen=True)
class _Trained:
    """A trained network with what it was trained and measured on."""

    model: Any
    tokenizer: Any
    examples: Examples
    state: State
    held_out: HeldOut
    card_example: CardExample
    is_base_embedded: bool


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that trains one verifier, going on from its last saved state."""

    def execute(unit: Unit) -> Outcome:
        work = TrainWork.of(unit)
        progress(f"{unit.name}: reading labels", 0, work.steps)
        problems = read_problems(store, unit.inputs["problems"].unit_id)
        # Training on a held-out problem must be impossible, whoever planned this unit.
        check_disjoint(problems.values())
        published = read_published(store, unit)
        examples = make_examples(work, published, problems)
        folder = policy_folder(settings, store, "base", unit.inputs["base"])
        tokenizer = load_tokenizer(folder)
        codec = Codec(tokenizer, domain(work.domain), problems)
        kind = KINDS[work.kind]
        # Each head starts by saying its base rate anywhere.
        rates = np.clip(base_rates(examples.training), 0.01, 0.99)
        model = new_verifier(folder, work.heads, outputs=kind.link.output(rates), device=device)
        validation = encode(codec, examples.validation)
        trainer = Trainer(
            model, encode_rephrased(codec, examples.training, problems), validation,
            plan=_plan(work), pad_id=_pad_id(tokenizer), loss=kind.loss(work),
        )  # fmt: skip
        state = _train(trainer, store, unit, progress)
        progress(f"{unit.name}: scoring held-out solutions", state.step, work.steps)
        problem_ids = [each.prefix.problem_id for each in examples.validation]
        calibration = calibrate(model, validation, work, problem_ids=problem_ids)
        held_out = score_held_out(
            model, codec, calibration=calibration, unit=unit, published=published,
            problems=problems,
        )  # fmt: skip
        example = card_example(
            domain(work.domain), problems, solutions=published.solutions,
            rows=held_out.rows, otherwise=examples.validation[0].prefix,
        )  # fmt: skip
        is_embedded = not settings.prepare.policy("base").path
        trained = _Trained(model, tokenizer, examples, state, held_out, example, is_embedded)
        return _outcome(unit, trained)

    return execute


def new_verifier(folder: Path, heads: Sequence[str], *, outputs: ArrayLike, device: str) -> Any:
    """Return a token classifier that begins as a policy; a head has one output anywhere."""
    model = _classifier(folder, heads, device)
    layers = (getattr(model, name, None) for name in ("score", "classifier"))
    head = next((layer for layer in layers if layer is not None), None)
    if not isinstance(head, torch.nn.Linear) or head.bias is None:
        raise InputError(
            f"checkpoint {str(folder)!r}: expected an architecture whose token classifier has a "
            f"linear head with a bias, got {type(model).__name__}"
        )
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.from_numpy(np.asarray(outputs)))
    return model.to(device)


def _classifier(folder: Path, heads: Sequence[str], device: str) -> Any:
    verbosity = logging.get_verbosity()
    logging.disable_progress_bar()
    # Transformers warns that the head is new; it is meant to be.
    logging.set_verbosity_error()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        config.id2label = dict(enumerate(heads))
        config.label2id = {head: number for number, head in enumerate(heads)}
        # No dropout: a resumed training would not have the same random numbers.
        config.classifier_dropout = config.attention_dropout = 0.0
        return AutoModelForTokenClassification.from_pretrained(
            folder, config=config, dtype=torch.float32, local_files_only=True,
            # The fused CPU kernel's backward pass takes longer than all the rest here.
            attn_implementation="eager" if device == "cpu" else "sdpa",
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"checkpoint {str(folder)!r}: expected one that Transformers can load as a token "
            f"classifier, got {error}"
        ) from error
    finally:
        logging.set_verbosity(verbosity)


def base_rates(sequences: Sequence[TargetSequence]) -> list[float]:
    """Return the mean target of each head over all labelled step ends; 0.5 without any."""
    weights = np.concatenate([each.weights for each in sequences]).astype(np.float64)
    targets = np.concatenate([each.targets for each in sequences])
    total = weights.sum(axis=0)
    rates = (weights * targets).sum(axis=0) / np.where(total > 0, total, 1)
    return [float(rate) for rate in np.where(total > 0, rates, 0.5)]


def _plan(work: TrainWork) -> TrainingPlan:
    names = [each.name for each in fields(TrainingPlan) if each.name != "seed"]
    return TrainingPlan(**{name: getattr(work, name) for name in names}, seed=work.pipeline_seed)


def _pad_id(tokenizer: Any) -> int:
    pad = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if pad is None else pad)


def _train(trainer: Trainer, store: Store, unit: Unit, progress: Progress) -> State:
    steps = TrainWork.of(unit).steps
    kept = load_partial(store, unit)
    if kept is not None:
        trainer.restore(kept)

    def tell(step: int, loss: float) -> None:
        progress(f"{unit.name}: loss {loss:.3f}", step, steps)

    return trainer.run(save=lambda state: save_partial(store, unit, state), progress=tell)


def _outcome(unit: Unit, trained: _Trained) -> Outcome:
    work = TrainWork.of(unit)
    tables = {
        "training_runs": [_look_row(unit, work, look) for look in trained.state.looks],
        "scores": trained.held_out.rows,
    }
    outputs = [
        Output(f"{name}.parquet", to_parquet(name, frame(name, rows)), len(rows))
        for name, rows in tables.items()
    ]
    facts = {
        "verifier": work.verifier,
        "domain": work.domain,
        "kind": work.kind,
        "max_tokens": getattr(trained.model.config, "max_position_embeddings", None),
        "unit_id": unit.unit_id,
        "best_step": trained.state.best_step,
        "steps": trained.state.step,
        "validation_loss": trained.state.best_loss,
        "training_data": trained.examples.counts("training"),
        "validation_data": trained.examples.counts("validation"),
        "metrics": trained.held_out.metrics,
    }
    files = verifier_files(
        trained.model,
        trained.tokenizer,
        calibration=trained.held_out.calibration,
        card=verifier_card(
            unit, facts, example=trained.card_example, is_embedded=trained.is_base_embedded
        ),
        details=facts,
    )
    outputs += [Output(f"{MODEL_FOLDER}/{name}", data) for name, data in files.items()]
    sequences = work.batch_size * trained.state.step
    cost = {"optimiser_steps": float(trained.state.step), "training_sequences": float(sequences)}
    return Outcome(tuple(outputs), cost)


def _look_row(unit: Unit, work: TrainWork, look: Look) -> dict[str, object]:
    return {
        "name": work.verifier, "pipeline_seed": work.pipeline_seed,
        "step": look.step, "train_loss": look.train_loss,
        "validation_loss": look.validation_loss, "learning_rate": look.learning_rate,
        "unit_id": unit.unit_id,
    }  # fmt: skip
