"""Stage `problems`: the embedded hands or a user's file, split so that no problem is in two."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from pav.models.domains import domain_key, domain_of
from pav.models.domains.countdown.domain import is_solvable_prefix
from pav.models.errors import InputError, StoreError
from pav.models.hashing import digest
from pav.models.records import LABELLING_SOURCES, Prefix, Problem
from pav.models.settings import ProblemSettings, RunSettings
from pav.models.splits import place
from pav.tasks.problems.embedded import (
    check_targets,
    embedded_parameters,
    embedded_problems,
    limits,
)
from pav.tasks.problems.files import ProblemFile, parse_problems
from pav.tasks.problems.rows import file_bytes
from pav.tasks.problems.solution_files import check_joined, outside_problems
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import read_manifest, read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

STAGE = "problems"
REVISION = 1

Progress = Callable[[str, float, float], None]


def plan_problems(settings: RunSettings) -> Unit:
    """Return the unit of this stage; InputError where the user's file is missing or wrong."""
    chosen = settings.problems
    limits = {name: getattr(chosen, name) for name in ("max_train", "max_validation", "max_test")}
    parameters: dict[str, Any] = {"domain": domain_key(chosen), **limits}
    if settings.sample.path and not chosen.path:
        return _plan_from_solutions(settings, parameters)
    if not chosen.path:
        _check_embedded(chosen)
        return Unit(STAGE, "problems", REVISION, parameters | embedded_parameters(chosen))
    data = file_bytes(chosen.path, asked_by="problems.path")
    # A wrong file is refused here, before anything runs or is written.
    parsed = parse_problems(chosen.path, data, family=domain_of(chosen))
    if settings.sample.path:
        check_joined(settings, parsed.problems)
    name = Path(chosen.path).name
    parameters |= {"file": name, "sha256": hashlib.sha256(data).hexdigest()}
    return Unit(STAGE, f"problems of {name}", REVISION, parameters)


def _plan_from_solutions(settings: RunSettings, parameters: dict[str, Any]) -> Unit:
    """The unit of the problems that a file of solutions holds, whatever solutions it has."""
    name = Path(settings.sample.path).name
    content = _content(outside_problems(settings))
    return Unit(
        STAGE, f"problems of {name}", REVISION, parameters | {"file": name, "problems": content}
    )


def _content(problems: Iterable[Problem]) -> str:
    return digest([asdict(problem) for problem in _in_order(problems)])


def _check_embedded(settings: ProblemSettings) -> None:
    if settings.domain != "countdown":
        raise InputError(
            "problems.path: expected a file of questions with answers, got none; only countdown "
            f"has embedded problems, problems.domain is {settings.domain}"
        )
    check_targets(settings)


def open_worker(
    settings: RunSettings,
    store: Store,
    device: str,
    progress: Progress,
) -> Callable[[Unit], Outcome]:
    """Return the function that makes `problems.parquet`."""

    def execute(unit: Unit) -> Outcome:
        chosen = settings.problems
        cost: dict[str, float] = {}
        if chosen.path or settings.sample.path:
            problems, cost = _from_file(unit, settings, progress=progress)
        else:
            problems = embedded_problems(chosen, progress=progress)
        check_disjoint(problems)
        rows = [{**asdict(problem), "unit_id": unit.unit_id} for problem in problems]
        data = to_parquet("problems", frame("problems", rows))
        return Outcome((Output("problems.parquet", data, len(rows)),), cost)

    return execute


def _from_file(
    unit: Unit, settings: RunSettings, *, progress: Progress
) -> tuple[list[Problem], dict[str, float]]:
    """The user's problems in the order of their hashes, and counts of what to know of them."""
    parsed = _parsed(unit, settings)
    room = limits(settings.problems)
    chosen = []
    for problem in _in_order(parsed.problems):
        if room[problem.split]:
            room[problem.split] -= 1
            chosen.append(problem)
    unsolvable = _unsolvable(chosen, progress=progress)
    if parsed.repeated_lines:
        lines = ", ".join(map(str, parsed.repeated_lines[:20]))
        progress(f"merged rows that repeat an earlier problem: lines {lines}", 1, 1)
    if unsolvable:
        names = ", ".join(unsolvable[:20])
        progress(f"kept {len(unsolvable)} problems that have no solution: {names}", 1, 1)
    return chosen, {
        "merged_rows": len(parsed.repeated_lines),
        "unsolvable_problems": len(unsolvable),
    }


def _parsed(unit: Unit, settings: RunSettings) -> ProblemFile:
    """The problems of the file that the unit was planned on; InputError where it changed since."""
    path = settings.problems.path
    if path:
        data = file_bytes(path, asked_by="problems.path")
        parsed = parse_problems(path, data, family=domain_of(settings.problems))
        is_same = hashlib.sha256(data).hexdigest() == unit.parameters["sha256"]
    else:
        path = settings.sample.path
        parsed = ProblemFile(outside_problems(settings), ())
        is_same = _content(parsed.problems) == unit.parameters["problems"]
    if not is_same:
        raise InputError(f"{path}: the file changed since the run was planned; run again")
    return parsed


def _unsolvable(problems: list[Problem], *, progress: Progress) -> list[str]:
    """The ids of problems without any correct solution; they stay, and yield no success.

    Only countdown has a solver that can tell.
    """
    found: list[str] = []
    if any(problem.domain != "countdown" for problem in problems):
        return found
    for done, problem in enumerate(problems):
        progress("problems checked", done, len(problems))
        if not is_solvable_prefix(problem, Prefix(problem.problem_id)):
            found.append(problem.problem_id)
    return found


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: place(problem.canonical_key))


def read_problems(store: Store, unit_id: str) -> dict[str, Problem]:
    """Return the published problems of a unit by id; StoreError where it was never published."""
    manifest = read_manifest(store, unit_id)
    if manifest is None:
        raise StoreError(f"{store}: expected the published unit {unit_id}; run `pav prepare` again")
    return load_problems(read_table(store, manifest, "problems"))


def load_problems(table: pl.DataFrame) -> dict[str, Problem]:
    """Return the rows of the data set `problems` by id, in their order; none is in two splits.

    InputError where an answer's source may not label: a store can be older than the rule.
    """
    problems = [Problem(**row) for row in table.drop("unit_id").iter_rows(named=True)]
    check_disjoint(problems)
    check_sources(problems)
    return {problem.problem_id: problem for problem in problems}


def check_sources(problems: Iterable[Problem]) -> None:
    """Raise InputError where an answer comes from a source that may not label."""
    wrong = [each for each in problems if each.answer_source not in LABELLING_SOURCES]
    if wrong:
        raise InputError(
            f"problems: only answers by {LABELLING_SOURCES} may label, got "
            f"{wrong[0].answer_source!r} for {wrong[0].problem_id!r}"
            + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else "")
            + "; leave these rows out of problems.path"
        )


def check_disjoint(problems: Iterable[Problem]) -> None:
    """Raise InputError if two splits share a canonical key, or two problems an id."""
    by_key: dict[str, Problem] = {}
    by_id: dict[str, Problem] = {}
    for problem in problems:
        other = by_key.setdefault(problem.canonical_key, problem)
        if other.split != problem.split:
            raise InputError(
                f"problems: {other.problem_id!r} ({other.split}) and {problem.problem_id!r} "
                f"({problem.split}) are the same problem, {problem.canonical_key}; "
                "splits must not overlap"
            )
        if by_id.setdefault(problem.problem_id, problem) != problem:
            raise InputError(
                f"problems: two problems have the problem_id {problem.problem_id!r}: "
                f"{by_id[problem.problem_id].canonical_key} and {problem.canonical_key}"
            )
