"""Math-Shepherd rows (arXiv 2312.08935): `input` with a tag after each step, `label` with + or -.

The steps are the text between the tags, without the space before a tag and with the newlines
after it; the answer stands in the last step.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.fields import optional_text, text_of
from pav.models.formats.records import Format, ImportedLabel, ImportedSolution, Parsed

TAG = "\u043a\u0438"
SIGNS = {"+": 1.0, "-": 0.0}
RESPACED = "rows with other white space around tags or question, which an export does not give back"
# Some rows of the published file have tags in the question, or no step named `Step 1:`.
_FIRST = re.compile(r"step 1:", re.IGNORECASE)


def parse(fields: Mapping[str, Any]) -> Parsed:
    """Return the one solution of a row with its hard labels, and whether its spacing is kept."""
    tagged = text_of(fields, "input")
    *bodies, tail = tagged.split(TAG)
    if not bodies or tail.strip():
        raise InputError(f"input: expected a {TAG!r} after each step, got {shown(tagged[-60:])}")
    signs = _signs([*bodies, tail], text_of(fields, "label"))
    question, steps = _cut(bodies, tail)
    # A sign of a tag within the question labels no step.
    kept = signs[len(signs) - len(steps) :]
    labels = tuple(
        ImportedLabel(number, "hard", SIGNS[sign]) for number, sign in enumerate(kept, start=1)
    )
    task = optional_text(fields, "task")
    again = written(asked(question), steps, is_right=[sign == "+" for sign in kept], task=task)
    is_same = (again["input"], again["label"]) == (fields["input"], fields["label"])
    solution = ImportedSolution(question, steps, labels, source=task)
    return Parsed((solution,), {} if is_same else {RESPACED: 1})


def asked(question: str) -> str:
    """Return a question as rows of the published file have it before the first step."""
    return f"{question} "


def written(
    prompt: str, steps: Sequence[str], *, is_right: Sequence[bool], task: str
) -> dict[str, str]:
    """Return the row of a solution, one sign for each step; the prompt stands as it is."""
    marks = ["+" if right else "-" for right in is_right]
    return {
        "input": _marked(prompt, steps, [TAG] * len(steps)),
        "label": _marked(prompt, steps, marks),
        "task": task,
    }


def _marked(prompt: str, steps: Sequence[str], marks: Sequence[str]) -> str:
    parts = [prompt]
    for step, mark in zip(steps, marks, strict=True):
        body = step.rstrip("\n")
        parts += [body, " ", mark, step[len(body) :]]
    return "".join(parts)


def _signs(pieces: Sequence[str], label: str) -> list[str]:
    """Return the sign at each tag's place; all else in `label` must be as in `input`."""
    place, signs = 0, []
    for number, piece in enumerate(pieces):
        if not label.startswith(piece, place):
            raise InputError(
                f"label: expected the text of input with + or - for each {TAG!r}, got "
                f"{shown(label[place : place + 60])} where input has {shown(piece[:60])}"
            )
        place += len(piece)
        if number < len(pieces) - 1:
            sign = label[place : place + 1]
            if sign not in SIGNS:
                raise InputError(f"label: expected + or - at tag {number + 1}, got {sign!r}")
            signs.append(sign)
            place += 1
    if place != len(label):
        raise InputError(f"label: expected the end of input, got {shown(label[place:])}")
    return signs


def _cut(bodies: Sequence[str], tail: str) -> tuple[str, tuple[str, ...]]:
    """Return the question and the steps; a step takes along the newlines that follow its tag."""
    first, place = _start(bodies)
    before = "".join(bodies[:first]) + bodies[first][:place]
    question = before.strip()
    # One space separates question and answer; further spaces belong to the first step.
    gap = before[len(before.rstrip()) :].removeprefix(" ")
    pieces = [gap + bodies[first][place:], *bodies[first + 1 :], tail]
    steps: list[str] = []
    for piece, following in itertools.pairwise(pieces):
        start = len(piece) - len(piece.lstrip("\n")) if steps else 0
        newlines = following[: len(following) - len(following.lstrip("\n"))]
        steps.append(piece[start:].removesuffix(" ") + newlines)
    return question, tuple(steps)


def _start(bodies: Sequence[str]) -> tuple[int, int]:
    """Return in which piece, and where in it, the first step starts."""
    for number, body in enumerate(bodies):
        if found := [match.start() for match in _FIRST.finditer(body)]:
            return number, found[-1]
    place = bodies[0].rfind("?") + 1
    answer = bodies[0][place:].lstrip()
    if not place or not answer:
        raise InputError(
            f"input: expected the question, then `Step 1:`, got {shown(bodies[0][:60])}"
        )
    return 0, len(bodies[0]) - len(answer)


FORMAT = Format(
    "math-shepherd",
    parse,
    silences=("no counts behind the labels", "no answers, so no verdicts"),
    answer_pattern=r"The answer is:? (.*)$",
)
