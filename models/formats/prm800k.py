"""PRM800K rows (arXiv 2305.20050): ratings of the completions at each step of one session.

A row is a path with alternatives: the completions of a step that were not chosen share the
prefix of the one that was. Each of them ends a solution of its own.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.bounds import bounded
from pav.models.formats.fields import (
    as_object,
    lines_of,
    object_of,
    optional_text,
    text_of,
    whole_number,
)
from pav.models.formats.records import Finish, Format, ImportedLabel, ImportedSolution, Parsed

FINISH_REASONS = ("solution", "found_error", "give_up", "bad_problem")
RATINGS = (-1, 0, 1)
_ANSWER = "# Answer\n"


@dataclass(frozen=True, slots=True)
class _Completion:
    text: str
    rating: int | None


@dataclass(frozen=True, slots=True)
class _Step:
    """What was taken at a step (None where the session ended) and what was not."""

    taken: _Completion | None
    others: tuple[_Completion, ...]


def parse(fields: Mapping[str, Any]) -> Parsed:
    """Return the path that was taken and a solution for each completion that was not."""
    asked, label = object_of(fields, "question"), object_of(fields, "label")
    reason = label.get("finish_reason")
    if reason not in FINISH_REASONS:
        raise InputError(
            f"label.finish_reason: expected one of {FINISH_REASONS}, got {shown(reason)}"
        )
    remarks: Counter[str] = Counter()
    steps = [
        _step(as_object(f"label.steps {number}", step), number, remarks)
        for number, step in enumerate(_listed(label, "steps"), start=1)
    ]
    answer = optional_text(asked, "ground_truth_answer")
    solutions = bounded(
        ImportedSolution(
            question=text_of(asked, "problem"),
            steps=lines_of([each.text for each in path], end="\n", is_whole=finish == "stop"),
            labels=_labels(path),
            finish=finish,
            answer=answer,
            answer_source="human" if answer else "",
            labeler=optional_text(fields, "labeler") or None,
        )
        for path, finish in _paths(steps, is_solved=reason == "solution")
    )
    if not solutions:
        remarks["rows without any completion"] += 1
    return Parsed(solutions, remarks)


def _paths(
    steps: Sequence[_Step], *, is_solved: bool
) -> Iterator[tuple[tuple[_Completion, ...], Finish]]:
    """Yield every path through the session and how it ends, the one that was taken first."""
    taken: list[_Completion] = []
    branches: list[tuple[int, _Completion]] = []
    for step in steps:
        branches += [(len(taken), other) for other in step.others]
        if step.taken is None:
            # The paths of this step's completions, below, contain the taken ones.
            if taken and not step.others:
                yield tuple(taken), "open"
            break
        taken.append(step.taken)
    else:
        if taken:
            yield tuple(taken), "stop" if is_solved else "open"
    # The paths are generated one by one: their total length grows with the square of the session.
    for length, other in branches:
        yield (*taken[:length], other), _finish(other)


def _finish(completion: _Completion) -> Finish:
    return "stop" if _ANSWER in completion.text else "open"


def _labels(path: Sequence[_Completion]) -> tuple[ImportedLabel, ...]:
    return tuple(
        ImportedLabel(number, "rating", None if each.rating is None else float(each.rating))
        for number, each in enumerate(path, start=1)
    )


def _step(fields: Mapping[str, Any], number: int, remarks: Counter[str]) -> _Step:
    name = f"label.steps {number}"
    rows = _listed(fields, f"{name}: completions")
    completions = [_completion(as_object(name, row), name, remarks) for row in rows]
    if fields.get("chosen_completion") is not None:
        chosen = whole_number(f"{name}: chosen_completion", fields["chosen_completion"])
        if not 0 <= chosen < len(completions):
            raise InputError(
                f"{name}: chosen_completion: expected one of {len(completions)}, got {chosen}"
            )
        return _Step(completions[chosen], (*completions[:chosen], *completions[chosen + 1 :]))
    human = fields.get("human_completion")
    if human is None:
        return _Step(None, tuple(completions))
    return _Step(_completion(as_object(name, human), name, remarks), tuple(completions))


def _listed(fields: Mapping[str, Any], name: str) -> list[Any]:
    rows = fields.get(name.rpartition(" ")[2]) or []
    if not isinstance(rows, list):
        raise InputError(f"{name}: expected a list, got {shown(rows)}")
    return rows


def _completion(fields: Mapping[str, Any], name: str, remarks: Counter[str]) -> _Completion:
    rating = fields.get("rating")
    if rating is not None and (isinstance(rating, bool) or rating not in RATINGS):
        raise InputError(f"{name}: rating: expected -1, 0, 1 or none, got {shown(rating)}")
    if fields.get("flagged"):
        remarks["completions that a labeler flagged, which is not kept"] += 1
    if rating is None:
        remarks["completions without a rating"] += 1
    return _Completion(text_of(fields, "text"), None if rating is None else int(rating))


FORMAT = Format(
    "prm800k",
    parse,
    silences=("ratings by people: no counts behind them", "no policy"),
    answer_pattern=r"^# Answer\s+(.*)$",
)
