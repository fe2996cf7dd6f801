"""What published labellers do: `generate` for one prefix, or for one question, at a time."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from pav.models.errors import InputError
from pav.models.planners.rollouts import Graded, full_response
from pav.models.records import Grading, Prefix, Sample
from pav.tasks.bench.workload import Rate, Workload, counted
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.transformers_engine import TransformersEngine


def peer(
    driver: Driver, engine: TransformersEngine, workload: Workload, *, by_question: bool
) -> Rate:
    """Label as public labellers do: `model.generate` for one prefix, or one question's prefixes."""
    model: Any = engine.model
    own = model.config._attn_implementation
    model.set_attn_implementation("sdpa")
    started = time.perf_counter()
    blocks: list[list[Graded]] = []
    for members in workload.prefixes.values():
        groups = [members] if by_question else [[each] for each in members]
        for group in groups:
            blocks += _generate(driver, model, group, workload)
    name = "generate, one question at a time" if by_question else "generate, one prefix at a time"
    rate = counted(name, blocks, time.perf_counter() - started)
    model.set_attn_implementation(own)
    return rate


def _generate(
    driver: Driver, model: Any, prefixes: Sequence[Prefix], workload: Workload
) -> list[list[Graded]]:
    tokenizer = driver.codec.tokenizer
    encoded = [driver.codec.encode(prefix) for prefix in prefixes]
    width = max(map(len, encoded))
    pad = tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (width - len(each)) + list(each) for each in encoded])
    mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in encoded])
    with torch.inference_mode():
        out = model.generate(
            ids.to(model.device), attention_mask=mask.to(model.device), do_sample=True, top_k=0,
            num_return_sequences=workload.num_rollouts, max_new_tokens=workload.max_tokens,
            pad_token_id=pad,
        )  # fmt: skip
    texts = tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
    tokens = (out[:, width:] != pad).sum(1).tolist()
    graded: list[list[Graded]] = [[] for _ in prefixes]
    for row, (text, count) in enumerate(zip(texts, tokens, strict=True)):
        prefix = prefixes[row // workload.num_rollouts]
        sample = Sample(driver.domain.split_steps(text), "stop", count)
        problem = driver.problems[prefix.problem_id]
        grading = driver.domain.grade(problem, full_response(prefix, sample))
        if not isinstance(grading, Grading):
            raise InputError(
                "bench engine: expected a problems.domain that grades by itself, such as "
                f"countdown, got {driver.domain.name!r}, which left an answer in doubt"
            )
        graded[row // workload.num_rollouts].append((sample, grading))
    return graded
