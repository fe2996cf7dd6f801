"""Decoding alone, for the bench: the engine, a plain loop, and the bare matrix products."""

import random
import time
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from pav.models.records import Generation
from pav.tasks.engine.transformers_engine import TransformersEngine

_SEED = 0


@dataclass(frozen=True)
class Batch:
    """A full batch: row i grows by `steps` tokens from `starts[i]`.

    `mean_tokens` is what a rollout has, to tell tokens in rollouts.
    """

    starts: tuple[int, ...]
    steps: int
    mean_tokens: float

    def of_one_length(self) -> "Batch":
        """Return the batch with every row of the mean length."""
        mean = round(sum(self.starts) / len(self.starts))
        return Batch((mean,) * len(self.starts), self.steps, self.mean_tokens)


def _prompts(batch: Batch) -> list[tuple[int, ...]]:
    draw = random.Random(_SEED)
    return [tuple(draw.randrange(2, 256) for _ in range(start)) for start in batch.starts]


def raw_seconds(engine: TransformersEngine, batch: Batch) -> float:
    """Return the seconds the engine needs for `steps` tokens of a batch that is already full."""
    prompts = _prompts(batch)
    # One token more than is timed, so that no row ends within the time.
    limit = batch.steps + 2
    kept, engine.ends_text = engine.ends_text, engine.ends_text & False
    engine.submit(Generation(i, ids, 1, limit, i) for i, ids in enumerate(prompts))
    engine.poll()
    started = time.perf_counter()
    for _ in range(batch.steps):
        engine.poll()
    seconds = time.perf_counter() - started
    engine.cancel(range(len(batch.starts)))
    engine.ends_text = kept
    return seconds


def plain_seconds(engine: TransformersEngine, batch: Batch) -> float:
    """Return the seconds of the loop everybody writes: forward, softmax, multinomial, again."""
    model: Any = engine.model
    own = model.config._attn_implementation
    model.set_attn_implementation("sdpa")
    with torch.inference_mode():
        cache = DynamicCache(config=model.config)
        ids = torch.tensor(_prompts(batch), device=model.device)
        logits = model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
        started = time.perf_counter()
        for _ in range(batch.steps):
            chosen = torch.multinomial(torch.softmax(logits[:, -1].float(), -1), 1)
            logits = model(chosen, past_key_values=cache, use_cache=True).logits
        seconds = time.perf_counter() - started
    model.set_attn_implementation(own)
    return seconds


def products_seconds(engine: TransformersEngine, batch: Batch) -> float:
    """Return the seconds of the weights' products with a batch, and of nothing else."""
    model: Any = engine.model
    head = model.get_output_embeddings().weight
    weights = [each for each in model.base_model.layers.parameters() if each.dim() == 2] + [head]
    inputs = [weight.new_ones(len(batch.starts), weight.shape[1]) for weight in weights]
    with torch.inference_mode():
        started = time.perf_counter()
        for _ in range(batch.steps):
            for weight, given in zip(weights, inputs, strict=True):
                torch.nn.functional.linear(given, weight)
        return time.perf_counter() - started
