"""The planners of a labelling unit: its parameters and its shard's tables, as generators."""

import polars as pl

from pav.models.domains import Domain
from pav.models.planners.blocks import Block, OpenSolution, Planner
from pav.models.planners.exhaustive import exhaustive, listed
from pav.models.records import Prefix, Verdict
from pav.tasks.label.plan import LabelWork
from pav.tasks.label.registry import PLANNERS
from pav.tasks.sample.work import can_go_on
from pav.tasks.store.manifests import read_table, required_manifest
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit

Planners = dict[str, list[Planner]]


def planners_by_problem(store: Store, unit: Unit, domain: Domain) -> Planners:
    """Return the planners of every problem of the unit's shard that has anything to label."""
    work = LabelWork.of(unit)
    if work.round is not None:
        return _bought(store, unit)
    told = PLANNERS[work.planner["kind"]].work if work.planner else None
    if told is None:
        numbers = () if work.block is None else (work.block,)
        prefixes = open_prefixes(store, unit)
        return {name: [exhaustive(each, numbers)] for name, each in prefixes.items()}
    planner = told.model_validate(work.planner)
    solutions = open_solutions(store, unit, domain)
    return {name: planner.planners(each, work.block_size) for name, each in solutions.items()}


def open_prefixes(store: Store, unit: Unit) -> dict[str, list[Prefix]]:
    """Return the distinct prefixes of the unit's shard that can be rolled out, by problem."""
    prefixes: dict[str, list[Prefix]] = {}
    for prefix in _prefix_names(store, unit).values():
        prefixes.setdefault(prefix.problem_id, []).append(prefix)
    return prefixes


def open_solutions(store: Store, unit: Unit, domain: Domain) -> dict[str, list[OpenSolution]]:
    """Return the distinct solutions of the unit's shard by problem; ungraded ones are left out."""
    rows = (
        _table(store, unit, "solutions")
        .filter(pl.col("verdict") != Verdict.FAILED.value)
        .sort("problem_id", "solution_id")
        .select("problem_id", "steps", "finish_reason", "verdict")
    )
    solutions: dict[str, dict[OpenSolution, None]] = {}
    for problem_id, steps, finish, verdict in rows.iter_rows():
        cuts = [Prefix(problem_id, tuple(steps[:end])) for end in range(len(steps) + 1)]
        still_open = finish != "stop" and can_go_on(domain, cuts[-1])
        prefixes = tuple(cuts if still_open else cuts[:-1])
        own = solutions.setdefault(problem_id, {})
        if prefixes:
            own[OpenSolution(prefixes, verdict == Verdict.CORRECT.value)] = None
    return {problem_id: list(own) for problem_id, own in solutions.items()}


def _prefix_names(store: Store, unit: Unit) -> dict[str, Prefix]:
    """Return prefix_id -> open prefix, by problem, steps and name."""
    prefixes = _table(store, unit, "prefixes").filter(~pl.col("is_terminal"))
    rows = (
        with_steps(prefixes, _table(store, unit, "solutions"))
        .sort("problem_id", "num_steps", "prefix_id")
        .select("prefix_id", "problem_id", "steps")
    )
    return {name: Prefix(problem_id, tuple(steps)) for name, problem_id, steps in rows.iter_rows()}


def _table(store: Store, unit: Unit, name: str) -> pl.DataFrame:
    return read_table(store, required_manifest(store, unit.inputs["prefixes"].unit_id), name)


def _bought(store: Store, unit: Unit) -> Planners:
    """Return planners that draw what a budget round allotted to the unit's shard and policy."""
    manifest = required_manifest(store, unit.inputs["allocation"].unit_id)
    rows = read_table(store, manifest, "allocations").filter(
        pl.col("policy_id") == LabelWork.of(unit).policy_id
    )
    names = _prefix_names(store, unit)
    blocks: dict[str, list[Block]] = {}
    for name, rule, first, num_blocks in rows.select(
        "prefix_id", "stopping_rule", "first_block", "num_blocks"
    ).iter_rows():
        if prefix := names.get(name):
            own = blocks.setdefault(prefix.problem_id, [])
            own.extend(Block(prefix, first + number, rule) for number in range(num_blocks))
    return {problem_id: [listed(own)] for problem_id, own in sorted(blocks.items())}
