"""Executes sampling units: solutions of a shard, and the distinct prefixes they pass through."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from pav.models.domains import Domain
from pav.models.labels.budget import wasted_tokens
from pav.models.planners.rollouts import Graded, full_response, sample_solutions
from pav.models.prefixes import imported_solution_id, prefix_ids, sampled_solution_id
from pav.models.records import Prefix, Problem
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import Shard
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.engines import Engines
from pav.tasks.prepare.policies import policy_folder
from pav.tasks.problems.published import read_problems
from pav.tasks.sample.imported import is_imported, take
from pav.tasks.sample.plan import STAGE, SampleWork, sharded
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

__all__ = ["STAGE", "open_worker"]

Progress = Callable[[str, float, float], None]
Row = dict[str, object]
# A solution with the policy that gave it and its number among that policy's.
Drawn = tuple[Prefix, str, int, Graded]


def open_worker(
    settings: RunSettings, store: Store, device: str, progress: Progress
) -> Callable[[Unit], Outcome]:
    """Return the function that executes a unit; engines stay loaded between units."""
    engines = Engines(settings, device)

    def execute(unit: Unit) -> Outcome:
        started = time.perf_counter()
        problems = shard_problems(store, unit)
        work = SampleWork.of(unit)
        driver = engines.driver(
            work,
            problems,
            policies={
                role: (policy_id, policy_folder(settings, store, role, unit.inputs[role]))
                for role, policy_id in work.policies.items()
            },
            progress=lambda done, total: progress("problems", done, total),
        )
        drawn = take(driver, unit, settings) if is_imported(unit) else _draw(driver, unit)
        return replace(_outcome(driver, unit, drawn, started), made_with=engines.made_with)

    return execute


def shard_problems(store: Store, unit: Unit) -> dict[str, Problem]:
    """Return the problems of a unit's shard by id."""
    everything = read_problems(store, unit.inputs["problems"].unit_id)
    own = Shard.of(unit)
    members = sharded(everything.values(), own.split, own.num_shards)
    return {problem.problem_id: problem for problem in members[own.shard]}


def _draw(driver: Driver, unit: Unit) -> list[Drawn]:
    """Sample every problem's solutions, by each policy that gives any."""
    work = SampleWork.of(unit)
    counts = work.counts or {}
    wanted = [(problem, role) for problem in driver.problems for role in counts]
    results = driver.run(
        [
            sample_solutions(
                Prefix(problem_id),
                policy=role,
                num_samples=counts[role],
                seed=work.pipeline_seed,
                max_tokens=work.max_tokens,
            )
            for problem_id, role in wanted
        ]
    )
    return [
        (full_response(Prefix(problem_id), graded[0]), work.policies[role], number, graded)
        for (problem_id, role), solutions in zip(wanted, results, strict=True)
        for number, graded in enumerate(solutions)
    ]


def _outcome(driver: Driver, unit: Unit, drawn: Sequence[Drawn], started: float) -> Outcome:
    cost = {
        **driver.spent,
        "solutions": float(len(drawn)),
        "wasted_tokens": float(wasted_tokens(graded for _, _, _, graded in drawn)),
        "seconds": time.perf_counter() - started,
    }
    return Outcome(solution_outputs(driver, unit, drawn), cost)


def solution_outputs(driver: Driver, unit: Unit, drawn: Sequence[Drawn]) -> tuple[Output, ...]:
    """Return solutions, the distinct prefixes they pass through, and which passes where."""
    seed = Shard.of(unit).pipeline_seed
    solutions = [_solution_row(unit, seed, *each) for each in drawn]
    prefixes: dict[str, Row] = {}
    joined: list[Row] = []
    for row, (response, _, _, _) in zip(solutions, drawn, strict=True):
        for passed in _prefix_rows(driver, row, response):
            prefixes.setdefault(str(passed["prefix_id"]), passed)
            joined.append(
                {
                    name: passed[name]
                    for name in ("solution_id", "num_steps", "prefix_id", "unit_id")
                }
            )
    tables = {"solutions": solutions, "prefixes": list(prefixes.values()),
              "solution_prefixes": joined}  # fmt: skip
    return tuple(
        Output(f"{name}.parquet", to_parquet(name, frame(name, rows)), len(rows))
        for name, rows in tables.items()
    )


def _solution_row(
    unit: Unit, seed: int, response: Prefix, policy_id: str, number: int, graded: Graded
) -> Row:
    sample, grading = graded
    return {
        "solution_id": _solution_id(unit, seed, response, policy_id, number),
        "problem_id": response.problem_id, "policy_id": policy_id, "sample": number,
        "steps": list(response.steps), "text": response.text, "num_steps": len(response.steps),
        "verdict": str(grading.verdict), "reason": grading.reason,
        "wrong_step": grading.wrong_step, "finish_reason": sample.finish,
        "num_tokens": sample.num_tokens, "seed": seed, "unit_id": unit.unit_id,
    }  # fmt: skip


def _solution_id(unit: Unit, seed: int, response: Prefix, policy_id: str, number: int) -> str:
    if is_imported(unit):
        return imported_solution_id(response, policy_id, repeat=0)
    return sampled_solution_id(response, policy_id, seed=seed, number=number)


def _prefix_rows(driver: Driver, solution: Row, response: Prefix) -> Iterator[Row]:
    """Yield the prefixes that a solution passes through, the bare problem first."""
    names, (_, ends) = prefix_ids(response), driver.codec.encode_with_ends(response)
    num_characters = accumulate(map(len, response.steps), initial=0)
    steps = ("", *response.steps)
    for number, (name, length, end) in enumerate(zip(names, num_characters, ends, strict=True)):
        is_end = response.is_finished and number == len(response.steps)
        is_terminal = is_end or (number > 0 and not driver.domain.ends_step(steps[number]))
        yield {
            "prefix_id": name, "problem_id": response.problem_id,
            "solution_id": solution["solution_id"], "num_steps": number,
            "num_characters": length, "num_tokens": end + 1, "is_terminal": is_terminal,
            "verdict": solution["verdict"] if is_terminal else None,
            "unit_id": solution["unit_id"],
        }  # fmt: skip


def can_go_on(domain: Domain, prefix: Prefix) -> bool:
    """Whether the prefix ends at a step's end; what a token limit cut off in mid-step does not."""
    return not prefix.steps or domain.ends_step(prefix.steps[-1])
