"""A generated store of any size for `pav bench publish`: counts and texts, no rollouts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.tasks.database.recorded_runs import record_run
from pav.tasks.store.datasets import SCHEMAS, to_parquet
from pav.tasks.store.manifests import publish
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

BASE, WEAK = "base" * 4, "weak" * 4
NUM_SHARDS, NUM_SOLUTIONS, NUM_STEPS, BLOCK_SIZE, NUM_BLOCKS = 16, 16, 8, 8, 2
# Two solutions share a first step; the prover labels the problems of each fourth shard.
_OPEN_A_PROBLEM = 1 + NUM_SOLUTIONS // 2 + NUM_SOLUTIONS * (NUM_STEPS - 2)
ROLLOUTS_A_PROBLEM = _OPEN_A_PROBLEM * NUM_BLOCKS * BLOCK_SIZE * 5 // 4
_SPLITS = ("train", "train", "train", "train", "train", "train", "validation", "test")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shard:
    """The generated tables of some problems, and the chance of success at each open prefix."""

    tables: Mapping[str, pl.DataFrame]
    open_ids: pl.Series
    values: Floats


def fill(store: Store, num_rollouts: int) -> None:
    """Publish units whose label blocks count about `num_rollouts`, and the run they are of."""
    random = np.random.default_rng(0)
    num_problems = max(1, round(num_rollouts / ROLLOUTS_A_PROBLEM / NUM_SHARDS))
    units, problems = [], []
    for number in range(NUM_SHARDS):
        shard = make_shard(number, num_problems, random)
        problems.append(shard.tables["problems"])
        sampled = {name: table for name, table in shard.tables.items() if name != "problems"}
        units.append(_put(store, "sample", f"shard {number}", sampled))
        for policy_id in (BASE, WEAK) if number % 4 == 0 else (BASE,):
            for block in range(NUM_BLOCKS):
                name = f"shard {number} with {policy_id}, block {block}"
                rows = _blocks(shard, policy_id, block, random)
                units.append(_put(store, "label", name, {"label_blocks": rows}))
    units.append(_put(store, "problems", "problems", {"problems": pl.concat(problems)}))
    policies = [{"name": name[:4], "policy_id": name} for name in (BASE, WEAK)]
    settings = {"runner": {"device_hour_price": 2.0}}
    record_run(store, "bench", settings=settings, unit_ids=units, policies=policies)


def make_shard(number: int, num_problems: int, random: np.random.Generator) -> Shard:
    """Return one shard's problems, solutions, prefixes, and the values behind its labels."""
    problem_ids = pl.Series("problem_id", [f"p{number}-{each}" for each in range(num_problems)])
    values = _values(num_problems, random)
    is_correct = random.uniform(size=len(values)) < values[:, -1]
    verdicts = pl.Series("verdict", np.where(is_correct, "correct", "wrong"))
    rows = _solutions(problem_ids, random).with_columns(verdicts)
    depths = [
        _prefixes(rows, depth, random).with_columns(chance=pl.Series(values[:, depth]))
        for depth in range(NUM_STEPS + 1)
    ]
    # Those who share a prefix share the chance of the first of them.
    distinct = pl.concat(depths).unique("prefix_id", keep="first", maintain_order=True)
    still_open = distinct.filter(~pl.col("is_terminal"))
    tables = {
        "problems": _problems(problem_ids, _SPLITS[number % len(_SPLITS)]),
        "solutions": rows,
        "solution_prefixes": pl.concat(depths),
        "prefixes": distinct,
    }
    return Shard(tables, still_open["prefix_id"], still_open["chance"].to_numpy())


def _values(num_problems: int, random: np.random.Generator) -> Floats:
    """Return the chance of success after each step of each solution: walks that end at 0 or 1."""
    size = num_problems * NUM_SOLUTIONS
    starts = np.repeat(random.uniform(0, 0.9, num_problems), NUM_SOLUTIONS)
    values = [starts]
    for depth in range(1, NUM_STEPS + 1):
        steps = random.normal(0, 0.05 * depth, size)
        is_open = (values[-1] > 0) & (values[-1] < 1)
        values.append(np.clip(values[-1] + steps * is_open, 0, 1))
    return np.stack(values, axis=1)


def _solutions(problem_ids: pl.Series, random: np.random.Generator) -> pl.DataFrame:
    """Return the solutions with a column for the text up to each depth."""
    size = len(problem_ids) * NUM_SOLUTIONS
    frame = pl.DataFrame(
        {
            "solution_id": _ids(size, random),
            "problem_id": np.repeat(problem_ids.to_numpy(), NUM_SOLUTIONS),
            "sample": np.tile(np.arange(NUM_SOLUTIONS), len(problem_ids)),
            "policy_id": BASE, "num_steps": NUM_STEPS, "reason": "", "finish_reason": "stop",
            "num_tokens": 20 * NUM_STEPS, "seed": 0, "text0": "",
        }
    )  # fmt: skip
    for depth in range(1, NUM_STEPS + 1):
        numbers = random.integers(1, 1000, (size, 3))
        if depth == 1:
            numbers[1::2] = numbers[::2]
        step = pl.format("Adding {} to {} leaves {} for the next step.\n",
                         *(pl.Series(column) for column in numbers.T))  # fmt: skip
        frame = frame.with_columns(step.alias(f"step{depth}")).with_columns(
            (pl.col(f"text{depth - 1}") + pl.col(f"step{depth}")).alias(f"text{depth}")
        )
    return frame.with_columns(
        steps=pl.concat_list(f"step{number}" for number in range(1, NUM_STEPS + 1)),
        text=pl.col(f"text{NUM_STEPS}"),
    )


def _prefixes(rows: pl.DataFrame, depth: int, random: np.random.Generator) -> pl.DataFrame:
    """Return the prefix of each solution at a depth, those that share it under one id."""
    is_end = depth == NUM_STEPS
    shared = {0: NUM_SOLUTIONS, 1: 2}.get(depth, 1)
    return rows.select(
        "solution_id", "problem_id", "verdict",
        pl.col(f"text{depth}").str.len_chars().alias("num_characters"),
    ).with_columns(
        pl.lit(is_end).alias("is_terminal"),
        prefix_id=pl.Series(np.repeat(_ids(rows.height // shared, random).to_numpy(), shared)),
        num_steps=depth, num_tokens=20 * depth,
        verdict=pl.when(is_end).then("verdict"),
    )  # fmt: skip


def _problems(problem_ids: pl.Series, split: str) -> pl.DataFrame:
    question = "What is left when the numbers of problem " + problem_ids + " are added?"
    return pl.DataFrame(
        {
            "problem_id": problem_ids, "domain": "math", "question": question, "answer": "1",
            "answer_source": "program", "split": split, "source": "bench",
            "canonical_key": question,
        }
    )  # fmt: skip


def _blocks(shard: Shard, policy_id: str, block: int, random: np.random.Generator) -> pl.DataFrame:
    size = len(shard.open_ids)
    correct = random.binomial(BLOCK_SIZE, shard.values)
    return pl.DataFrame(
        {
            "prefix_id": shard.open_ids, "policy_id": policy_id, "seed": 0, "block": block,
            "num_rollouts": BLOCK_SIZE, "num_correct": correct,
            "num_truncated": random.binomial(BLOCK_SIZE - correct, 0.05),
            "num_unparsed": 0, "num_failed": 0,
            "generated_tokens": random.integers(200, 1200, size),
            "stopping_rule": "fixed",
        }
    )  # fmt: skip


def _put(store: Store, stage: str, name: str, tables: Mapping[str, pl.DataFrame]) -> str:
    """Publish a unit with these tables, every column typed and named as its data set says."""
    unit = Unit(stage, name, UNIT_STAGES[stage].revision, {"name": name})
    outputs = []
    for data_set, table in tables.items():
        schema = SCHEMAS[data_set]
        absent = schema.keys() - set(table.columns)
        whole = table.with_columns(pl.lit(None).alias(column) for column in absent)
        whole = whole.with_columns(unit_id=pl.lit(unit.unit_id))
        typed = whole.select(pl.col(column).cast(dtype) for column, dtype in schema.items())
        outputs.append(Output(f"{data_set}.parquet", to_parquet(data_set, typed), typed.height))
    cost = {"seconds": 60.0, "generated_tokens": 1e6}
    return publish(store, unit, Outcome(tuple(outputs), cost)).unit.unit_id


def _ids(size: int, random: np.random.Generator) -> pl.Series:
    """Return names of 20 hex digits, as long as those of real prefixes."""
    text = random.bytes(10 * size).hex()
    return pl.Series([text[start : start + 20] for start in range(0, 20 * size, 20)])
