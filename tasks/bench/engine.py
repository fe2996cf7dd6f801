"""`pav bench engine`: the labelling stage against the engine alone, a plain loop, and peers.

All rates are of the same model, device, number type, threads and prefixes. A rate is the best of a
few repeats in which all take turns, since a busy machine only makes rates lower. The engine alone
decodes full batches with the row lengths of the stage, a mixture, because attention runs over the
longest row of a batch. `rows of one length` has every row of the mean length, as the plain loop
has.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from pav.models.errors import InputError
from pav.models.planners.exhaustive import exhaustive
from pav.models.planners.rollouts import Graded
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.tasks.bench.engine_decoding import (
    Batch,
    plain_seconds,
    products_seconds,
    raw_seconds,
)
from pav.tasks.bench.peers import peer
from pav.tasks.bench.workload import Rate, Workload, counted
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.engines import Engines
from pav.tasks.engine.transformers_engine import TransformersEngine
from pav.tasks.label.plan import LabelWork, plan_labelling
from pav.tasks.label.planners import open_prefixes
from pav.tasks.label.work import run_planners
from pav.tasks.prepare.policies import PolicySpec, policy_folder
from pav.tasks.runner.devices import resolve_device
from pav.tasks.sample.work import shard_problems
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest

REPEATS = 3
# Batches that one timing of decoding alone covers: a second or so, as a stage takes seconds.
ROUNDS = 8
ONE_LENGTH = "engine alone, rows of one length"
_SEED = 0
# Promised ratios of rates of the labelling stage.
TARGETS = {
    "of the engine's raw rate": (0.85, "labelling stage", "engine alone"),
    "of the engine's rate on rows of one length": (0.0, "labelling stage", ONE_LENGTH),
    "engine alone to plain loop": (1.0, "engine alone", "plain loop with KV cache"),
    "to one prefix at a time": (6.5, "labelling stage", "generate, one prefix at a time"),
    "to one question at a time": (3.0, "labelling stage", "generate, one question at a time"),
    "engine alone to matrix products": (0.0, "engine alone", "matrix products alone"),
}


def measure(
    driver: Driver, engine: TransformersEngine, workload: Workload, *, slow_problems: int
) -> list[Rate]:
    """Return the rates of the labelling stage, the engine alone, a plain loop and two peers.

    The peers are slow, so they label the first `slow_problems` problems only.
    """
    few = workload.first(slow_problems)
    batch = _batch(driver, engine, workload)
    even = batch.of_one_length()
    ways: list[Callable[[], Rate]] = [
        lambda: _stage(driver, workload),
        lambda: _decoding("engine alone", batch, lambda: raw_seconds(engine, batch)),
        lambda: _decoding(ONE_LENGTH, even, lambda: raw_seconds(engine, even)),
        lambda: _decoding("plain loop with KV cache", even, lambda: plain_seconds(engine, even)),
        lambda: _decoding("matrix products alone", even, lambda: products_seconds(engine, even)),
        lambda: peer(driver, engine, few, by_question=False),
        lambda: peer(driver, engine, few, by_question=True),
    ]
    turns = [[way() for way in ways] for _ in range(REPEATS)]
    return [
        max(rates, key=lambda rate: rate.tokens_per_second) for rates in zip(*turns, strict=True)
    ]


def _batch(driver: Driver, engine: TransformersEngine, workload: Workload) -> Batch:
    """Return a batch as the stage has them: its rows are about to decode tokens of the stage.

    The tokens are drawn evenly from all that the stage decodes. A row is centred on the length
    that its sequence had by then, and none becomes longer than the stage's longest.
    """
    prefixes = [prefix for group in workload.prefixes.values() for prefix in group]
    lengths = [
        len(driver.codec.encode(prefix)) + position
        for prefix, block in zip(prefixes, _label(driver, workload), strict=True)
        for sample, _ in block
        for position in range(sample.num_tokens)
    ]
    mean_tokens = len(lengths) / (len(prefixes) * workload.num_rollouts)
    steps = max(round(mean_tokens), 2)
    highest = max(lengths) - steps
    drawn = random.Random(_SEED).choices(lengths, k=engine.sampling.batch_size)
    starts = tuple(max(1, min(each - steps // 2, highest)) for each in drawn)
    return Batch(starts, steps, mean_tokens)


def _label(driver: Driver, workload: Workload) -> list[list[Graded]]:
    labelled = run_planners(
        driver,
        [[exhaustive(members, (0,))] for members in workload.prefixes.values()],
        block_size=workload.num_rollouts,
        seed=_SEED,
        max_tokens=workload.max_tokens,
    )
    return [list(rolled) for labels in labelled for _, rolled in labels.blocks()]


def _stage(driver: Driver, workload: Workload) -> Rate:
    started = time.perf_counter()
    blocks = _label(driver, workload)
    return counted("labelling stage", blocks, time.perf_counter() - started)


def _decoding(name: str, batch: Batch, run: Callable[[], float]) -> Rate:
    """Return the rate of something that takes `run()` seconds to decode the batch."""
    seconds = sum(run() for _ in range(ROUNDS)) / ROUNDS
    tokens = len(batch.starts) * batch.steps / seconds
    return Rate(name, 0.0, tokens / batch.mean_tokens, tokens)


@dataclass(frozen=True)
class Ratio:
    """A ratio of two rates and the least it should be (0: stated, not promised)."""

    name: str
    value: float
    target: float


def ratios(rates: Sequence[Rate]) -> list[Ratio]:
    """Return the promised ratios; of rollouts per second, so that all count the same work."""
    by_name = {rate.name: rate.rollouts_per_second for rate in rates}
    return [
        Ratio(name, by_name[one] / by_name[other], target)
        for name, (target, one, other) in TARGETS.items()
    ]


def bench_driver(
    settings: RunSettings,
    store: Store,
    policy: PolicySpec,
    *,
    work: LabelWork,
    problems: Mapping[str, Problem],
    bench: str,
) -> tuple[Driver, TransformersEngine]:
    """Return a driver with a policy in the role `policy`, and its engine; InputError for another.

    `bench` is the name by which the user asked for it.
    """
    folder = policy_folder(settings, store, policy.role, policy.ref)
    driver = Engines(settings, resolve_device(settings.engine.device, 0)).driver(
        work, problems, policies={"policy": (policy.policy_id, folder)}
    )
    engine = driver.policies["policy"].engine
    if not isinstance(engine, TransformersEngine):
        raise InputError(f"bench {bench}: expected the Transformers engine, got {engine!r}")
    return driver, engine


def bench_engine(
    settings: RunSettings, store: Store, policy: PolicySpec, sampled: Manifest, *, num_threads: int
) -> dict[str, Any]:
    """Return rates and ratios on the open prefixes of a sampled shard, as JSON."""
    torch.set_num_threads(num_threads)
    base_only = settings.model_copy(
        update={"label": settings.label.model_copy(update={"provers": ()})}
    )
    unit = plan_labelling(base_only, policies={"base": policy}, sample_manifests=[sampled])[0]
    driver, engine = bench_driver(
        settings,
        store,
        policy,
        work=LabelWork.of(unit),
        problems=shard_problems(store, unit),
        bench="engine",
    )
    prefixes = open_prefixes(store, unit)
    workload = Workload(prefixes, settings.label.block_size, settings.sample.max_tokens)
    rates = measure(driver, engine, workload, slow_problems=max(len(prefixes) // 10, 1))
    return {
        "bench": "engine",
        "num_threads": num_threads,
        "dtype": str(engine.model.dtype).removeprefix("torch."),
        "batch_size": settings.engine.batch_size,
        "num_prefixes": workload.num_labels,
        "num_rollouts": workload.num_rollouts,
        "rates": [asdict(rate) for rate in rates],
        "ratios": [asdict(ratio) for ratio in ratios(rates)],
    }


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    lines = [f"{'':32} {'labels/s':>10} {'rollouts/s':>11} {'tokens/s':>10}"]
    for rate in figures["rates"]:
        cells = [rate["labels_per_second"], rate["rollouts_per_second"], rate["tokens_per_second"]]
        lines.append(f"{rate['name']:32} {cells[0]:10,.0f} {cells[1]:11,.0f} {cells[2]:10,.0f}")
    for ratio in figures["ratios"]:
        promise = f"promised {ratio['target']:g}" if ratio["target"] else "for scale"
        lines.append(f"{ratio['name']:32} {ratio['value']:10.2f} {promise:>22}")
    return "\n".join(lines)
