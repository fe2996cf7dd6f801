"""`pav bench memory`: what a process holds while it trains on sequences of many lengths."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from pav.models.policy.corpus import Corpus
from pav.models.policy.embedded import build_tokenizer
from pav.models.policy.number_types import fast_number_type
from pav.models.policy.training import Training
from pav.models.settings import PrepareSettings, RunSettings
from pav.tasks.bench.measuring import in_child, resident_bytes
from pav.tasks.prepare.plan import pretrain_work
from pav.tasks.prepare.work import policy_plan
from pav.tasks.runner.worker import KERNELS

LOOK_EVERY = 100
NUM_STEPS = 600
# Few sequences a step, as kernels grow with the number of shapes and activations with that of
# tokens.
_BATCH_SIZE = 4
_SHORTEST, _LONGEST = 16, 200
_NUM_SEQUENCES = 4096
_WIDTH = 128
# Kernels that torch keeps by default.
_UNBOUND = dict.fromkeys(KERNELS, "1024")


def bench_memory(settings: PrepareSettings, *, num_steps: int = NUM_STEPS) -> dict[str, Any]:
    """Return resident memory every 100 steps with kernels kept as torch does and as workers do.

    A step of `training` is one of the embedded policy on a batch of its own length; a step of
    `products` is one matrix product of a shape of its own by oneDNN, as bfloat16 has them.
    """
    cases = []
    for name, environment in (("as torch does", _UNBOUND), ("as workers do", KERNELS)):
        for what in ("training", "products"):
            with _environment(environment):
                held = in_child(_MEASURES[what], settings, num_steps)
            cases.append({"what": what, "kernels": name, "resident_bytes": held})
    number_type = str(fast_number_type("cpu")).removeprefix("torch.")
    return {
        "bench": "memory",
        "number_type": number_type,
        "look_every": LOOK_EVERY,
        "environment": dict(KERNELS),
        "cases": cases,
    }


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    every = figures["look_every"]
    looks = range(len(figures["cases"][0]["resident_bytes"]))
    heads = " ".join(f"{every * look:>6}" for look in looks)
    bound = ", ".join(f"{name}={value}" for name, value in figures["environment"].items())
    lines = [
        f"MiB after so many steps, each of another shape; training in {figures['number_type']}",
        f"{'':10} {'kernels kept':14} {heads}",
    ]
    for case in figures["cases"]:
        cells = " ".join(f"{held / 2**20:6.0f}" for held in case["resident_bytes"])
        lines.append(f"{case['what']:10} {case['kernels']:14} {cells}")
    return "\n".join([*lines, f"as workers do: {bound}"])


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Give child processes these variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _train(settings: PrepareSettings, num_steps: int) -> list[int]:
    torch.set_num_threads(1)
    tokenizer = build_tokenizer()
    longer = {"batch_size": _BATCH_SIZE, "kept_steps": {"base": num_steps + 1}}
    work = pretrain_work(RunSettings(prepare=settings)).model_copy(update=longer)
    training = Training(policy_plan(work), tokenizer, device="cpu")
    corpus = _many_lengths(int(tokenizer.pad_token_id), len(tokenizer))
    held = [resident_bytes()]
    for step in range(1, num_steps + 1):
        training.advance(corpus, None)
        if step % LOOK_EVERY == 0:
            held.append(resident_bytes())
    return held


def _many_lengths(pad: int, num_tokens: int) -> Corpus:
    """Responses of random tokens, their lengths even between the shortest and the longest."""
    generator = torch.Generator().manual_seed(0)
    shape = (_NUM_SEQUENCES,)
    lengths = torch.randint(_SHORTEST, _LONGEST, shape, generator=generator).tolist()
    responses = [
        tuple(torch.randint(2, num_tokens, (length,), generator=generator).tolist())
        for length in lengths
    ]
    everyone = torch.arange(_NUM_SEQUENCES)
    prompts: list[tuple[int, ...]] = [(2,)] * _NUM_SEQUENCES
    return Corpus(prompts, everyone, responses, everyone, torch.ones_like(everyone), pad)


def _multiply(settings: PrepareSettings, num_steps: int) -> list[int]:
    torch.set_num_threads(1)
    weights, bias = torch.ones(_WIDTH, _WIDTH), torch.ones(_WIDTH)
    held = [resident_bytes()]
    for step in range(1, num_steps + 1):
        rows = torch.ones(_SHORTEST + step, _WIDTH)
        # Runs oneDNN on every processor, which a plain product of float32 does not.
        torch.ops.mkldnn._linear_pointwise(rows, weights, bias, "none", [], "")
        if step % LOOK_EVERY == 0:
            held.append(resident_bytes())
    return held


_MEASURES = {"training": _train, "products": _multiply}
