"""Stage `pretrain`: trains the embedded policy from scratch and keeps checkpoints of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import torch

from pav.models.policy.embedded import build_tokenizer
from pav.models.policy.training import PolicyPlan, Training
from pav.models.settings import RunSettings
from pav.tasks.engine.checkpoints import checkpoint_files
from pav.tasks.prepare.exercises import corpora
from pav.tasks.prepare.plan import PretrainWork
from pav.tasks.problems.published import read_problems
from pav.tasks.runner.devices import cores_per_worker
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.partials import load_partial, save_partial
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

Progress = Callable[[str, float, float], None]
# More threads than this only wait for each other on so small a network.
_MOST_THREADS = 2


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that trains the embedded policy, going on from its last saved state."""

    def execute(unit: Unit) -> Outcome:
        work = PretrainWork.of(unit)
        tokenizer = build_tokenizer()
        problems = read_problems(store, unit.inputs["problems"].unit_id)
        train, held_out = corpora(
            work.domain, problems.values(), tokenizer,
            tell=lambda text: progress(text, 0, work.steps),
        )  # fmt: skip
        training = Training(policy_plan(work), tokenizer, device=device)
        if (saved := load_partial(store, unit)) is not None:
            training.load_state(saved)
        with _idle_cores():
            training.run(
                train, held_out, save_every=settings.prepare.save_every,
                save=lambda state: save_partial(store, unit, state),
                progress=_clock(progress, training.step, work.steps),
            )  # fmt: skip
        return _outcome(unit, training, tokenizer)

    return execute


def policy_plan(work: PretrainWork) -> PolicyPlan:
    """Return how the embedded policy is trained."""
    names = [each.name for each in fields(PolicyPlan) if each.name != "kept_steps"]
    kept = frozenset(work.kept_steps.values())
    return PolicyPlan(**{name: getattr(work, name) for name in names}, kept_steps=kept)


@contextmanager
def _idle_cores() -> Iterator[None]:
    """Use the cores of the other workers, which have nothing to do while the policy is trained."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(before, min(_MOST_THREADS, cores_per_worker(1))))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _clock(progress: Progress, first: int, total: int) -> Callable[[int, float], None]:
    """Return what tells progress with the loss and the rate of this process's steps."""
    started = time.perf_counter()

    def report(step: int, loss: float) -> None:
        rate = (step - first) / (time.perf_counter() - started)
        progress(f"training policy: loss {loss:.3f}, {rate:.1f} steps/s", step, total)

    return report


def _outcome(unit: Unit, training: Training, tokenizer: Any) -> Outcome:
    table = frame("training_runs", [row | {"unit_id": unit.unit_id} for row in training.rows])
    data = to_parquet("training_runs", table)
    outputs = [Output("training_runs.parquet", data, table.height)]
    for name, step in PretrainWork.of(unit).kept_steps.items():
        files = checkpoint_files(training.kept_model(step), tokenizer)
        outputs += [Output(f"{name}/{file}", content) for file, content in files.items()]
    return Outcome(tuple(outputs), {"optimiser_steps": float(training.step)})
