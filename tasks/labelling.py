"""Executes labelling units: a block of rollouts from every open prefix of a shard."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain

import polars as pl

from pav.models.budget import wasted_tokens
from pav.models.planners import Graded, exhaustive
from pav.models.records import Prefix, Verdict
from pav.models.settings import RunSettings
from pav.tasks.datasets import frame, to_parquet
from pav.tasks.driver import Driver
from pav.tasks.labelling_plan import STAGE
from pav.tasks.manifests import read_table, required_manifest
from pav.tasks.roles import Roles, policy_folder
from pav.tasks.sampling import Progress, prefix_id, shard_problems
from pav.tasks.store import Store
from pav.tasks.units import Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]

STOPPING_RULE = "fixed"


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; the engine stays loaded between units."""
    roles = Roles(settings, device)

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        folder = policy_folder(settings, store, unit.parameters["role"], unit.inputs["policy"])
        driver = roles.driver(
            shard_problems(store, unit),
            policies={"policy": (unit.parameters["policy_id"], folder)},
            progress=lambda done, total: progress("problems", done, total),
        )
        labelled = label(driver, unit, open_prefixes(store, unit))
        return _outcome(driver, unit, labelled, started)

    return execute


def open_prefixes(store: Store, unit: Unit) -> dict[str, list[Prefix]]:
    """Return the distinct prefixes of the unit's shard that can be rolled out, by problem."""
    table = read_table(store, required_manifest(store, unit.inputs["prefixes"].unit_id), "prefixes")
    rows = (
        table.filter(~pl.col("is_terminal"))
        .sort("problem_id", "num_steps", "prefix_id")
        .select("problem_id", "steps")
    )
    prefixes: dict[str, list[Prefix]] = {}
    for problem_id, steps in rows.iter_rows():
        prefixes.setdefault(problem_id, []).append(Prefix(problem_id, tuple(steps)))
    return prefixes


def label(
    driver: Driver, unit: Unit, prefixes: dict[str, list[Prefix]]
) -> list[tuple[Prefix, list[Graded]]]:
    """Return every prefix with its block of graded rollouts."""
    values = unit.parameters
    results = driver.run(
        [
            exhaustive(
                members,
                policy="policy",
                num_rollouts=values["block_size"],
                block=values["block"],
                seed=values["pipeline_seed"],
                max_tokens=values["max_tokens"],
            )
            for members in prefixes.values()
        ]
    )
    return [
        pair
        for members, rollouts in zip(prefixes.values(), results, strict=True)
        for pair in zip(members, rollouts, strict=True)
    ]


def _outcome(
    driver: Driver, unit: Unit, labelled: Sequence[tuple[Prefix, list[Graded]]], started: float
) -> Outcome:
    names = [prefix_id(prefix) for prefix, _ in labelled]
    blocks = [
        _block_row(unit, name, graded) for name, (_, graded) in zip(names, labelled, strict=True)
    ]
    rollouts = [
        _rollout_row(unit, name, number, graded)
        for name, (_, block) in zip(names, labelled, strict=True)
        for number, graded in enumerate(block)
    ]
    outputs = tuple(
        Output(f"{name}.parquet", to_parquet(name, frame(name, rows)), len(rows))
        for name, rows in (("label_blocks", blocks), ("rollouts", rollouts))
    )
    cost = {
        **driver.spent,
        "rollouts": float(len(rollouts)),
        "labels": float(sum(bool(graded) for _, graded in labelled)),
        "wasted_tokens": float(wasted_tokens(chain.from_iterable(g for _, g in labelled))),
        "seconds": time.perf_counter() - started,
    }
    return Outcome(outputs, cost)


def _names(unit: Unit, name: str) -> dict[str, object]:
    values = unit.parameters
    return {
        "prefix_id": name, "policy_id": values["policy_id"], "seed": values["pipeline_seed"],
        "block": values["block"], "unit_id": unit.unit_id,
    }  # fmt: skip


def _block_row(unit: Unit, name: str, block: Sequence[Graded]) -> dict[str, object]:
    counts = Counter(grading.verdict for _, grading in block)
    return {
        **_names(unit, name),
        "num_rollouts": len(block) - counts[Verdict.FAILED],
        "num_correct": counts[Verdict.CORRECT],
        "num_truncated": counts[Verdict.TRUNCATED],
        "num_unparsed": counts[Verdict.UNPARSED],
        "num_failed": counts[Verdict.FAILED],
        "generated_tokens": sum(sample.num_tokens for sample, _ in block),
        "stopping_rule": STOPPING_RULE,
    }


def _rollout_row(unit: Unit, name: str, number: int, graded: Graded) -> dict[str, object]:
    sample, grading = graded
    return {
        **_names(unit, name), "rollout": number, "steps": list(sample.steps),
        "verdict": str(grading.verdict), "reason": grading.reason,
        "wrong_step": grading.wrong_step, "finish_reason": sample.finish,
        "num_tokens": sample.num_tokens,
    }  # fmt: skip
