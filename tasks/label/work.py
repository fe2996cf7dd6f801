"""Executes labelling units: the rollouts that a planner asks for, of one shard by one policy."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from pav.models.labels.budget import wasted_tokens
from pav.models.planners.blocks import Block, Planner, ProblemLabels, Rolled, label_problem
from pav.models.planners.rollouts import Graded
from pav.models.planners.tree_search import Searched
from pav.models.prefixes import prefix_id
from pav.models.records import Verdict
from pav.models.settings import RunSettings
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.engines import Engines
from pav.tasks.label.plan import STAGE, LabelWork
from pav.tasks.label.planners import planners_by_problem
from pav.tasks.label.registry import PLANNERS
from pav.tasks.label.unparsed import check_rolled
from pav.tasks.prepare.policies import policy_folder
from pav.tasks.sample.work import Drawn, Progress, Row, shard_problems, solution_outputs
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]

# Responses of a tree search are numbered from here among a policy's solutions of a problem.
FIRST_SEARCHED = 1_000_000


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; the engine stays loaded between units."""
    engines = Engines(settings, device)

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        work = LabelWork.of(unit)
        driver = labelling_driver(engines, store, unit, work, progress)
        planners = planners_by_problem(store, unit, driver.domain)
        labelled = run_unit_planners(driver, work, planners.values())
        _check_rules(work, labelled)
        check_rolled(settings, work.role, _in_order(labelled))
        return replace(_outcome(driver, unit, labelled, started), made_with=engines.made_with)

    return execute


def labelling_driver(
    engines: Engines, store: Store, unit: Unit, work: LabelWork, progress: Progress
) -> Driver:
    """Return a driver over the problems of the unit's shard, its policy in the role `policy`."""
    folder = policy_folder(engines.settings, store, work.role, unit.inputs["policy"])
    return engines.driver(
        work,
        shard_problems(store, unit),
        policies={"policy": (work.policy_id, folder)},
        progress=lambda done, total: progress("problems", done, total),
    )


def run_unit_planners(
    driver: Driver, work: LabelWork, planners: Iterable[Sequence[Planner]]
) -> list[ProblemLabels]:
    """Return what the planners of each problem had drawn, as the work of their unit says."""
    return run_planners(
        driver,
        planners,
        block_size=work.block_size,
        seed=work.pipeline_seed,
        max_tokens=work.max_tokens,
    )


def run_planners(
    driver: Driver,
    planners: Iterable[Sequence[Planner]],
    *,
    block_size: int,
    seed: int,
    max_tokens: int,
) -> list[ProblemLabels]:
    """Return what the planners of each problem had drawn by the driver's role `policy`."""
    return driver.run(
        [
            label_problem(
                each, policy="policy", block_size=block_size, seed=seed, max_tokens=max_tokens
            )
            for each in planners
        ]
    )


def _outcome(
    driver: Driver, unit: Unit, labelled: Sequence[ProblemLabels], started: float
) -> Outcome:
    blocks = list(_in_order(labelled))
    work = LabelWork.of(unit)
    named = [({**_names(work, block), "unit_id": unit.unit_id}, block, rolled)
             for block, rolled in blocks]  # fmt: skip
    rows = [_block_row(*each) for each in named]
    rollouts = [
        _rollout_row(names, number, graded)
        for names, _, rolled in named
        for number, graded in enumerate(rolled)
    ]
    outputs = tuple(
        Output(f"{name}.parquet", to_parquet(name, frame(name, table)), len(table))
        for name, table in (("label_blocks", rows), ("rollouts", rollouts))
    )
    if searched := list(_searched(driver, unit, labelled)):
        outputs += solution_outputs(driver, unit, searched)
    cost = {
        **driver.spent,
        "rollouts": float(len(rollouts)),
        "labels": float(len({block.prefix for block, _ in blocks})),
        "wasted_tokens": float(wasted_tokens(chain.from_iterable(each for _, each in blocks))),
        "seconds": time.perf_counter() - started,
    }
    return Outcome(outputs, cost)


def _check_rules(work: LabelWork, labelled: Sequence[ProblemLabels]) -> None:
    """Raise InputError where a planner wanted a block by a rule that it does not state."""
    if work.planner:
        kind = work.planner["kind"]
        used = {rule for labels in labelled for rule in labels.rules.values()}
        PLANNERS[kind].check_rules(kind, sorted(used))


def _in_order(labelled: Sequence[ProblemLabels]) -> Iterator[tuple[Block, Rolled]]:
    """Yield all blocks by problem, prefix and number: an order that no batch can change."""
    for labels in labelled:
        named = [(prefix_id(block.prefix), block, rolled) for block, rolled in labels.blocks()]
        named.sort(key=lambda each: (len(each[1].prefix.steps), each[0], each[1].number))
        yield from ((block, rolled) for _, block, rolled in named)


def _searched(driver: Driver, unit: Unit, labelled: Sequence[ProblemLabels]) -> Iterator[Drawn]:
    """Yield the responses that tree searches went through, as solutions of the policy."""
    policy_id = LabelWork.of(unit).policy_id
    for labels in labelled:
        found = [each for value in labels.returned if isinstance(value, list) for each in value]
        for number, each in enumerate(each for each in found if isinstance(each, Searched)):
            sample, grading = each.rollout
            prompt = driver.codec.num_prompt_tokens(each.response)
            whole = replace(sample, num_tokens=len(driver.codec.encode(each.response)) - prompt)
            yield each.response, policy_id, FIRST_SEARCHED + number, (whole, grading)


def _names(work: LabelWork, block: Block) -> Row:
    """Return the columns by which a block and its rollouts are found."""
    return {
        "prefix_id": prefix_id(block.prefix), "policy_id": work.policy_id,
        "seed": work.pipeline_seed, "block": block.number,
    }  # fmt: skip


def _block_row(names: Row, block: Block, rolled: Rolled) -> Row:
    counts = Counter(grading.verdict for _, grading in rolled)
    return {
        **names,
        "num_rollouts": len(rolled) - counts[Verdict.FAILED],
        "num_correct": counts[Verdict.CORRECT],
        "num_truncated": counts[Verdict.TRUNCATED],
        "num_unparsed": counts[Verdict.UNPARSED],
        "num_failed": counts[Verdict.FAILED],
        "generated_tokens": sum(sample.num_tokens for sample, _ in rolled),
        "stopping_rule": block.rule,
    }


def _rollout_row(names: Row, number: int, graded: Graded) -> Row:
    sample, grading = graded
    return {
        **names, "rollout": number, "steps": list(sample.steps),
        "verdict": str(grading.verdict), "reason": grading.reason,
        "wrong_step": grading.wrong_step, "finish_reason": sample.finish,
        "num_tokens": sample.num_tokens,
    }  # fmt: skip
