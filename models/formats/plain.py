"""Plain solutions: question and response, with whatever else of a solution is known."""

from collections.abc import Mapping
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.fields import optional_text, texts_of
from pav.models.formats.records import Finish, Format, ImportedSolution, Parsed
from pav.models.records import LABELLING_SOURCES, OTHER_SOURCES
from pav.models.splits import SPLITS

_FINISHES: dict[str, Finish] = {
    "": "stop", "stop": "stop", "length": "length", "open": "open", "unknown": "unknown",
}  # fmt: skip
REQUIRED = ("question", "response")
OPTIONAL = (
    "answer", "answer_source", "problem_id", "split", "source", "policy", "steps", "finish_reason",
)  # fmt: skip


def parse(fields: Mapping[str, Any]) -> Parsed:
    """Return the solution of a row; without `steps` the domain cuts its response."""
    values = {
        name: optional_text(fields, name) for name in (*REQUIRED, *OPTIONAL) if name != "steps"
    }
    if not values["question"].strip():
        raise InputError("question: expected a value, got none")
    _check("split", values["split"], SPLITS)
    _check("answer_source", values["answer_source"], (*LABELLING_SOURCES, *OTHER_SOURCES))
    solution = ImportedSolution(
        question=values["question"],
        steps=_steps(fields, values["response"]),
        finish=_finish(values["finish_reason"]),
        is_cut=fields.get("steps") is not None,
        answer=values["answer"],
        answer_source=values["answer_source"],
        problem_id=values["problem_id"],
        split=values["split"],
        policy=values["policy"],
        source=values["source"],
    )
    return Parsed((solution,))


def _steps(fields: Mapping[str, Any], response: str) -> tuple[str, ...]:
    if fields.get("response") is None:
        raise InputError("response: expected a value, got none")
    if fields.get("steps") is None:
        return (response,)
    steps = tuple(texts_of(fields, "steps")) if response else ()
    if "".join(steps) != response:
        raise InputError(
            f"steps: expected texts that joined are the response, got {shown(list(steps))}"
        )
    return steps


def _finish(value: str) -> Finish:
    if value not in _FINISHES:
        known = tuple(filter(None, _FINISHES))
        raise InputError(f"finish_reason: expected one of {known} or none, got {shown(value)}")
    return _FINISHES[value]


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value and value not in known:
        raise InputError(f"{name}: expected one of {known} or none, got {shown(value)}")


FORMAT = Format("plain", parse, silences=("no labels",))
