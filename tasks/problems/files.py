"""Problems from a user's JSONL, CSV or Parquet file; every bad row is named, none skipped."""

from dataclasses import dataclass, replace
from pathlib import Path

from pav.models.domains import Domain
from pav.models.errors import InputError, shown
from pav.models.records import LABELLING_SOURCES, OTHER_SOURCES, Problem
from pav.models.splits import SPLITS
from pav.tasks.problems.rows import Row, file_rows, refuse_bad_rows
from pav.tasks.problems.sets import ProblemSet

DEFAULT_SOURCE = "human"
REQUIRED = ("question", "answer")
OPTIONAL = ("problem_id", "split", "answer_source")


@dataclass(frozen=True)
class ProblemFile:
    """The distinct problems of a file, and the lines that repeat an earlier one of them."""

    problems: tuple[Problem, ...]
    repeated_lines: tuple[int, ...]


def parse_problems(path: str, data: bytes, *, family: Domain) -> ProblemFile:
    """Return the problems in a file's bytes; one InputError lists all bad rows."""
    rows = list(file_rows(path, data, required=REQUIRED, optional=OPTIONAL))
    if not rows:
        raise InputError(f"{path}: the problem set is empty; expected rows with {REQUIRED}")
    problems = ProblemSet(family)
    repeated: list[int] = []
    errors: list[tuple[int, str]] = []
    for row in rows:
        try:
            if not problems.add(_problem(row, family, path), row.line):
                repeated.append(row.line)
        except InputError as error:
            errors.append((row.line, str(error)))
    refuse_bad_rows(path, errors)
    return ProblemFile(tuple(problems), tuple(repeated))


def checked_source(source: str) -> str:
    """Return who an answer is by; InputError where such answers may not label."""
    if source in OTHER_SOURCES:
        raise InputError(
            f"answer_source: only answers by {LABELLING_SOURCES} may label, got {shown(source)}"
        )
    if source not in (*LABELLING_SOURCES, ""):
        known = (*LABELLING_SOURCES, *OTHER_SOURCES)
        raise InputError(f"answer_source: expected one of {known} or none, got {shown(source)}")
    return source or DEFAULT_SOURCE


def _problem(row: Row, family: Domain, path: str) -> Problem:
    if row.error:
        raise InputError(row.error)
    fields = {name: _text(name, row.fields.get(name)) for name in (*REQUIRED, *OPTIONAL)}
    for name in REQUIRED:
        if not fields[name]:
            raise InputError(f"{name}: expected a value, got none")
    if fields["split"] not in (*SPLITS, ""):
        raise InputError(f"split: expected one of {SPLITS} or none, got {shown(fields['split'])}")
    problem = family.problem(
        fields["question"],
        fields["answer"],
        problem_id=fields["problem_id"],
        split=fields["split"],
    )
    source = checked_source(fields["answer_source"])
    return replace(problem, answer_source=source, source=Path(path).name)


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"{name}: expected text or a whole number, got {shown(value)}")
    return str(value).strip()
