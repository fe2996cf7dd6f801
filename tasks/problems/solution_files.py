"""Solutions made elsewhere, from a file in a known format; every bad row is named, none skipped."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pav.models.domains import Domain, domain, domain_key
from pav.models.errors import InputError
from pav.models.formats import format_of
from pav.models.formats.bounds import bounded
from pav.models.formats.plain import OPTIONAL, REQUIRED
from pav.models.formats.records import Format, ImportedSolution, Parsed
from pav.models.records import OTHER_SOURCES, Problem
from pav.models.settings import RunSettings, SampleSettings
from pav.tasks.problems.files import DEFAULT_SOURCE
from pav.tasks.problems.rows import Row, file_bytes, file_rows, refuse_bad_rows
from pav.tasks.problems.sets import ProblemSet

REWORDED = "solutions whose question is kept as another row of the same problem spells it"
_MOST_SHOWN = 20


@dataclass(frozen=True)
class ImportedFile:
    """The solutions of a file in its order, each with its row's line and its problem's key.

    `problems` are by canonical key; `remarks` counts what rows say that is not kept.
    """

    sha256: str
    num_rows: int
    solutions: tuple[tuple[int, str, ImportedSolution], ...]
    problems: Mapping[str, Problem]
    remarks: Mapping[str, int]

    @property
    def unanswered_lines(self) -> list[int]:
        """The lines of solutions to problems without an answer."""
        return [line for line, key, _ in self.solutions if not self.problems[key].answer]


def read_imported(path: str, *, form: str, domain_key: str, asked_by: str) -> ImportedFile:
    """Return the solutions of a file, cut into steps; one InputError lists all bad rows.

    `asked_by` says which setting or argument names the file.
    """
    known = format_of(form, asked_by=asked_by)
    if known.name != "plain" and Path(path).suffix.lower() != ".jsonl":
        raise InputError(
            f"{asked_by}: expected a .jsonl file, as {form} is a JSON object a line, got {path!r}"
        )
    sha256 = hashlib.sha256(file_bytes(path, asked_by=asked_by)).hexdigest()
    return _parsed(path, sha256, known, domain_key)


# A run looks at its file once a part, and the file can be large.
@lru_cache(maxsize=1)
def _parsed(path: str, sha256: str, known: Format, domain_key: str) -> ImportedFile:
    family = domain(domain_key)
    problems = ProblemSet(family)
    solutions: list[tuple[int, str, ImportedSolution]] = []
    errors: list[tuple[int, str]] = []
    remarks: Counter[str] = Counter()
    num_rows = 0
    data = file_bytes(path, asked_by=path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: the file changed while it was read; try again")
    # Only plain solutions come as tables as well, whose columns can be checked.
    required = REQUIRED if known.name == "plain" else ()
    for row in file_rows(path, data, required=required, optional=OPTIONAL):
        num_rows += 1
        try:
            parsed = _parse(row, known)
            remarks.update(parsed.remarks)
            for solution in bounded(_in_steps(each, family) for each in parsed.solutions):
                problem = _problem(solution, family, path)
                problems.add(problem, row.line)
                solutions.append((row.line, problem.canonical_key, solution))
        except InputError as error:
            errors.append((row.line, str(error)))
    refuse_bad_rows(path, errors)
    if not solutions:
        raise InputError(f"{path}: expected rows of the format {known.name}, got none")
    by_key = {problem.canonical_key: problem for problem in problems}
    reworded = sum(each.question.strip() != by_key[key].question for _, key, each in solutions)
    if reworded:
        remarks[REWORDED] = reworded
    return ImportedFile(sha256, num_rows, tuple(solutions), by_key, dict(remarks))


def _parse(row: Row, known: Format) -> Parsed:
    if row.error:
        raise InputError(row.error)
    return known.parse(row.fields)


def _problem(solution: ImportedSolution, family: Domain, path: str) -> Problem:
    names = {"problem_id": solution.problem_id, "split": solution.split}
    source = solution.source or Path(path).name
    if not solution.answer:
        return replace(family.unanswered(solution.question, **names), source=source)
    problem = family.problem(solution.question, solution.answer, **names)
    by = solution.answer_source or DEFAULT_SOURCE
    return replace(problem, answer_source=by, source=source)


def _in_steps(solution: ImportedSolution, family: Domain) -> ImportedSolution:
    if solution.is_cut:
        return solution
    return replace(solution, steps=family.split_steps(solution.text))


def imported_file(settings: SampleSettings, domain_key: str) -> ImportedFile:
    """Return the solutions of `sample.path`; InputError lists what is wrong with it."""
    return read_imported(
        settings.path, form=settings.format, domain_key=domain_key, asked_by="sample.path"
    )


def imported_problems(settings: SampleSettings, domain_key: str) -> tuple[Problem, ...]:
    """Return the problems of `sample.path`; InputError where an answer is missing or may not label.

    Rollouts are checked against answers, so that a problem without one can never be labelled.
    """
    path, file = settings.path, imported_file(settings, domain_key)
    if missing := file.unanswered_lines:
        lines = ", ".join(map(str, missing[:_MOST_SHOWN]))
        more = ", …" if len(missing) > _MOST_SHOWN else ""
        raise InputError(
            f"sample.path: {path}: {len(missing)} solutions of problems without an answer, which "
            f"rollouts cannot label (lines {lines}{more}); add `answer` to them, or give a file "
            "of question and answer as problems.path"
        )
    unchecked = {key for key, each in file.problems.items() if each.answer_source in OTHER_SOURCES}
    bad = [
        (line, f"answer_source: {file.problems[key].answer_source!r} may not label")
        for line, key, _ in file.solutions
        if key in unchecked
    ]
    refuse_bad_rows(path, bad)
    return tuple(file.problems.values())


def check_joined(settings: RunSettings, problems: Iterable[Problem]) -> None:
    """Raise InputError where a solution's question is not among problems, or its answer differs."""
    key = domain_key(settings)
    file, family = imported_file(settings.sample, key), domain(key)
    known = {problem.canonical_key: problem for problem in problems}
    name = settings.problems.path
    bad = []
    for line, key, _ in file.solutions:
        own = file.problems[key]
        if key not in known:
            bad.append(
                (line, f"question: not in problems.path ({name}), got {own.question[:60]!r}")
            )
        elif own.answer and family.contradicts(known[key], own):
            bad.append(
                (line, f"answer: {known[key].answer[-40:]!r} in {name}, got {own.answer[-40:]!r}")
            )
    refuse_bad_rows(settings.sample.path, bad)
