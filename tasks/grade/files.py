"""JSONL rows with responses to grade; every bad row is named, and then nothing is graded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pav.models.domains import Domain
from pav.models.errors import InputError, shown
from pav.models.records import Grading, Prefix, Problem, Verdict
from pav.tasks.problems.rows import Row, jsonl_rows, refuse_bad_rows
from pav.tasks.store.in_files import read_file

REQUIRED = ("answer", "response")
FINISH_REASONS = ("stop", "length")


@dataclass(frozen=True)
class GradeRow:
    """One row: its 1-based line, its fields as given, and what they say.

    `expected` is whether the row says that the response is right, None where it says nothing.
    """

    line: int
    fields: Mapping[str, Any]
    problem: Problem
    response: Prefix
    expected: bool | None


def read_rows(path: str, family: Domain) -> list[GradeRow]:
    """Return the rows of a JSONL file; one InputError lists all that are wrong by line."""
    rows: list[GradeRow] = []
    errors: list[tuple[int, str]] = []
    for row in jsonl_rows(path, read_file(path, asked_by="FILE")):
        try:
            rows.append(_graded_row(row, family))
        except InputError as error:
            errors.append((row.line, str(error)))
    refuse_bad_rows(path, errors)
    if not rows:
        raise InputError(f"{path}: expected rows with {REQUIRED}, got none")
    return rows


def graded_lines(rows: Sequence[GradeRow], gradings: Sequence[Grading]) -> list[str]:
    """Return each row as JSON, as given, with its verdict and reason."""
    return [
        json.dumps({**row.fields, "verdict": str(each.verdict), "reason": each.reason})
        for row, each in zip(rows, gradings, strict=True)
    ]


def _graded_row(row: Row, family: Domain) -> GradeRow:
    if row.error:
        raise InputError(row.error)
    fields = row.fields
    values = {name: _string(fields, name) for name in ("question", *REQUIRED)}
    for name in REQUIRED:
        if fields.get(name) is None:
            raise InputError(f"{name}: expected a value, got none")
    problem = family.problem(
        values["question"], values["answer"], problem_id=f"line {row.line}", split="test"
    )
    finish = fields.get("finish_reason") or "stop"
    if finish not in FINISH_REASONS:
        raise InputError(f"finish_reason: expected one of {FINISH_REASONS}, got {shown(finish)}")
    steps = family.split_steps(values["response"])
    response = Prefix(problem.problem_id, steps, is_finished=finish == "stop")
    return GradeRow(row.line, fields, problem, response, _expected(fields.get("expected")))


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise InputError(f"{name}: expected text or a number, got {shown(value)}")
    return "" if value is None else str(value)


def _expected(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if value in tuple(Verdict):
        return bool(value == Verdict.CORRECT)
    known = ", ".join(Verdict)
    raise InputError(f"expected: expected true, false or one of {known}, got {shown(value)}")
