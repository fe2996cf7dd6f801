"""Stage `problems`: the embedded problems or a user's file, split so that no problem is in two."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict

from pav.models.domains import domain, solver_of
from pav.models.domains.kind import Solver
from pav.models.errors import InputError
from pav.models.records import Prefix, Problem
from pav.models.settings import RunSettings
from pav.tasks.problems.embedded import embedded_problems
from pav.tasks.problems.files import ProblemFile, parse_problems
from pav.tasks.problems.plan import EmbeddedWork, FileWork, content_of, in_order, problems_work
from pav.tasks.problems.published import check_disjoint
from pav.tasks.problems.rows import file_bytes
from pav.tasks.problems.solution_files import imported_problems
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

Progress = Callable[[str, float, float], None]


def open_worker(
    settings: RunSettings,
    store: Store,
    device: str,
    progress: Progress,
) -> Callable[[Unit], Outcome]:
    """Return the function that makes `problems.parquet`."""

    def execute(unit: Unit) -> Outcome:
        work = problems_work(unit)
        cost: dict[str, float] = {}
        if isinstance(work, EmbeddedWork):
            problems = embedded_problems(work, progress=progress)
        else:
            problems, cost = _from_file(work, settings, progress=progress)
        check_disjoint(problems)
        rows = [{**asdict(problem), "unit_id": unit.unit_id} for problem in problems]
        data = to_parquet("problems", frame("problems", rows))
        return Outcome((Output("problems.parquet", data, len(rows)),), cost)

    return execute


def _from_file(
    work: FileWork, settings: RunSettings, *, progress: Progress
) -> tuple[list[Problem], dict[str, float]]:
    """The user's problems in the order of their hashes, and counts of what to know of them."""
    parsed = _parsed(work, settings)
    room = work.limits
    chosen = []
    for problem in in_order(parsed.problems):
        if room[problem.split]:
            room[problem.split] -= 1
            chosen.append(problem)
    solver = solver_of(work.domain)
    unsolvable = _unsolvable(chosen, solver, progress=progress) if solver else []
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


def _parsed(work: FileWork, settings: RunSettings) -> ProblemFile:
    """The problems of the file that the unit was planned on; InputError where it changed since.

    The settings say no more than where the file lies and how it is read.
    """
    if work.sha256 is not None:
        path = settings.problems.path
        data = file_bytes(path, asked_by="problems.path")
        parsed = parse_problems(path, data, family=domain(work.domain))
        is_same = hashlib.sha256(data).hexdigest() == work.sha256
    else:
        path = settings.sample.path
        parsed = ProblemFile(imported_problems(settings.sample, work.domain), ())
        is_same = content_of(parsed.problems) == work.problems
    if not is_same:
        raise InputError(f"{path}: the file changed since the run was planned; run again")
    return parsed


def _unsolvable(problems: list[Problem], solver: Solver, *, progress: Progress) -> list[str]:
    """The ids of problems without any correct solution; they stay, and yield no success."""
    found: list[str] = []
    for done, problem in enumerate(problems):
        progress("problems checked", done, len(problems))
        if solver(problem, Prefix(problem.problem_id)):
            found.append(problem.problem_id)
    return found
