"""Rows with solutions to score; every bad one is named, and then nothing is scored."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.fields import optional_text, texts_of
from pav.tasks.problems.rows import Row, file_bytes, file_rows, refuse_bad_rows
from pav.tasks.score.verifier import Solution, StepScores, Verifier

FIELDS = ("prompt", "question", "answer", "steps", "response", "finish_reason")
# Only what ends with `stop` is whole.
FINISH_REASONS = ("stop", "length", "open", "unknown")


@dataclass(frozen=True)
class ScoreRow:
    """One row: its 1-based line and the solution that it holds."""

    line: int
    solution: Solution


def read_rows(path: str, verifier: Verifier) -> list[ScoreRow]:
    """Return the solutions of a file; one InputError lists all rows that are wrong by line."""
    data = file_bytes(path, asked_by="FILE")
    rows: list[ScoreRow] = []
    errors: list[tuple[int, str]] = []
    for row in file_rows(path, data, required=(), optional=FIELDS):
        try:
            rows.append(ScoreRow(row.line, _solution(row, verifier)))
        except InputError as error:
            errors.append((row.line, str(error)))
    refuse_bad_rows(path, errors)
    if not rows:
        raise InputError(f"{path}: expected rows with prompt or question, and steps or response")
    return rows


def scored_lines(rows: Sequence[ScoreRow], scores: Sequence[StepScores]) -> list[str]:
    """Return JSON lines: of each solution one for its prompt, one a step, and one for the whole."""
    return [
        json.dumps({"line": row.line, **fields}, ensure_ascii=False)
        for row, each in zip(rows, scores, strict=True)
        for fields in _lines(row.solution, each)
    ]


def _lines(solution: Solution, scores: StepScores) -> Iterator[dict[str, Any]]:
    yield {"row": "prompt", "step": 0, "text": solution.prompt, "score": scores.prompt}
    before = scores.prompt
    for number, (text, score) in enumerate(zip(solution.steps, scores.steps, strict=True), start=1):
        yield {
            "row": "step", "step": number, "text": text, "score": score,
            "change": score - before,
        }  # fmt: skip
        before = score
    yield {
        "row": "solution", "num_steps": len(solution.steps), "is_finished": solution.is_finished,
        "last": scores.steps[-1], "min": min(scores.steps), "product": prod(scores.steps),
    }  # fmt: skip


def _solution(row: Row, verifier: Verifier) -> Solution:
    """Return the checked solution of a row; its prompt and steps come before what makes them."""
    if row.error:
        raise InputError(row.error)
    fields = row.fields
    finish = fields.get("finish_reason") or "stop"
    if finish not in FINISH_REASONS:
        raise InputError(f"finish_reason: expected one of {FINISH_REASONS}, got {shown(finish)}")
    solution = Solution(_prompt(fields, verifier), _steps(fields, verifier), finish == "stop")
    verifier.encode(solution)
    return solution


def _prompt(fields: Mapping[str, Any], verifier: Verifier) -> str:
    if prompt := _text(fields, "prompt"):
        return prompt
    question = optional_text(fields, "question")
    if not question:
        raise InputError("prompt: expected the text before the first step, or a question, got none")
    return verifier.prompt(question, optional_text(fields, "answer"))


def _steps(fields: Mapping[str, Any], verifier: Verifier) -> tuple[str, ...]:
    if fields.get("steps"):
        return tuple(texts_of(fields, "steps"))
    response = _text(fields, "response")
    if not response:
        raise InputError("steps: expected a list of texts, or a response, got none")
    return verifier.split(response)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name}: expected text, got {shown(value)}")
    return value or ""
