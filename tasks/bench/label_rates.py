"""Labels per second at equal error, of a budget spent by expected gain and of peers."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pav.models.labels.allocation import Budget, spend_budget
from pav.models.planners.blocks import Block, ProblemLabels, counts
from pav.models.planners.exhaustive import listed
from pav.models.records import Prefix
from pav.models.settings import RunSettings
from pav.tasks.bench.engine import bench_driver
from pav.tasks.bench.labels import ROUNDS
from pav.tasks.bench.peers import peer
from pav.tasks.bench.workload import Workload
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.transformers_engine import TransformersEngine
from pav.tasks.label.plan import LabelWork, label_unit
from pav.tasks.label.planners import open_prefixes
from pav.tasks.label.work import run_planners
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.sample.work import shard_problems
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit

Integers = NDArray[np.int64]
REPEATS = 2
_SEED = 0


@dataclass(frozen=True)
class EqualError:
    """Ways to label the same prefixes with the same error of Q.

    `fixed` rollouts of each prefix, or `budget` rollouts in all, in blocks of `block`.
    """

    workload: Workload
    fixed: int
    budget: int
    block: int
    num_rounds: int


def measure_rates(
    driver: Driver, engine: TransformersEngine, equal: EqualError, *, slow_problems: int
) -> dict[str, float]:
    """Return way -> labels per second, the best of repeats in which all take turns.

    The peers are slow, so they label the first `slow_problems` problems only.
    """
    few = Workload(
        equal.workload.first(slow_problems).prefixes, equal.fixed, equal.workload.max_tokens
    )
    ways: dict[str, Callable[[], float]] = {
        "adaptive, budget": lambda: _rate(equal, lambda: spend(driver, equal)),
        "exhaustive": lambda: _rate(equal, lambda: _exhaust(driver, equal)),
        "generate, one prefix at a time": lambda: (
            peer(driver, engine, few, by_question=False).labels_per_second
        ),
        "generate, one question at a time": lambda: (
            peer(driver, engine, few, by_question=True).labels_per_second
        ),
    }
    turns = [{name: way() for name, way in ways.items()} for _ in range(REPEATS)]
    return {name: max(turn[name] for turn in turns) for name in ways}


def _rate(equal: EqualError, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return equal.workload.num_labels / (time.perf_counter() - started)


def _exhaust(driver: Driver, equal: EqualError) -> None:
    prefixes = [prefix for each in equal.workload.prefixes.values() for prefix in each]
    _draw(driver, equal, [Block(prefix, 0) for prefix in prefixes], size=equal.fixed)


def spend(driver: Driver, equal: EqualError) -> Integers:
    """Spend the budget in rounds, as `pav label` does; return the rollouts of each prefix."""
    prefixes = [prefix for each in equal.workload.prefixes.values() for prefix in each]
    rows = {prefix: row for row, prefix in enumerate(prefixes)}

    def draw(blocks: Integers, taken: Integers) -> Integers:
        right = np.zeros_like(blocks)
        wanted = [
            Block(prefix, int(blocks[row]) + extra)
            for prefix, row in rows.items()
            for extra in range(int(taken[row]))
        ]
        for labels in _draw(driver, equal, wanted, size=equal.block):
            for block, rolled in labels.blocks():
                right[rows[block.prefix]] += counts([rolled])[0]
        return right

    kinds = np.array([len(prefix.steps) for prefix in prefixes], dtype=np.int64)
    budget = Budget(equal.budget, equal.block, equal.num_rounds)
    most = math.ceil(equal.budget / equal.block)
    return spend_budget(kinds, budget, most=most, draw=draw) * equal.block


def _draw(
    driver: Driver, equal: EqualError, blocks: list[Block], *, size: int
) -> list[ProblemLabels]:
    by_problem: dict[str, list[Block]] = {}
    for block in blocks:
        by_problem.setdefault(block.prefix.problem_id, []).append(block)
    return run_planners(
        driver, [[listed(own)] for own in by_problem.values()], block_size=size, seed=_SEED,
        max_tokens=equal.workload.max_tokens,
    )  # fmt: skip


PROMISED = {"generate, one prefix at a time": 12.0, "generate, one question at a time": 6.0}
# Problems that the peers label; one of them takes seconds.
SLOW_PROBLEMS = 15


@dataclass(frozen=True)
class Timing:
    """An error to time at: that of `fixed` rollouts of each of at least `num_prefixes`.

    A budget reaches this error with `mean` rollouts of a prefix, in blocks of `block`.
    """

    fixed: int
    block: int
    mean: float
    num_prefixes: int


def bench_rates(
    settings: RunSettings, store: Store, sampled: Sequence[Manifest], *, policy: PolicySpec,
    timings: Sequence[Timing],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return labels per second at equal error on prefixes of sampled training shards, as JSON."""
    torch.set_num_threads(1)
    shards = [
        label_unit(policy, each, settings.label.block_size, {"block": 0})
        for each in sampled
        if Shard.of(each.unit).split == "train"
    ]
    problems = {
        problem_id: problem
        for shard in shards
        for problem_id, problem in shard_problems(store, shard).items()
    }
    work = LabelWork.of(shards[0])
    driver, engine = bench_driver(
        settings, store, policy, work=work, problems=problems, bench="labels"
    )
    rates = []
    for timing in timings:
        prefixes = _prefixes(store, shards, timing.num_prefixes)
        workload = Workload(prefixes, timing.fixed, settings.sample.max_tokens)
        rates.append(_rates(driver, engine, workload, timing))
    return rates


def _prefixes(store: Store, shards: Sequence[Unit], num_wanted: int) -> dict[str, list[Prefix]]:
    """Return the open prefixes of whole problems, shard by shard, until there are enough."""
    chosen: dict[str, list[Prefix]] = {}
    reached = 0
    for shard in shards:
        for problem_id, prefixes in open_prefixes(store, shard).items():
            if reached >= num_wanted:
                return chosen
            chosen[problem_id] = prefixes
            reached += len(prefixes)
    return chosen


def _rates(
    driver: Driver, engine: TransformersEngine, workload: Workload, timing: Timing
) -> dict[str, Any]:
    budget = math.ceil(timing.mean * workload.num_labels)
    equal = EqualError(
        workload, fixed=timing.fixed, budget=budget, block=timing.block, num_rounds=ROUNDS
    )
    rates = measure_rates(driver, engine, equal, slow_problems=SLOW_PROBLEMS)
    return {
        "fixed": timing.fixed, "block": timing.block, "budget": budget,
        "num_labels": workload.num_labels, "labels_per_second": rates, "promised": PROMISED,
    }  # fmt: skip
