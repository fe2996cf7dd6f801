"""ProcessBench rows (arXiv 2412.06559): steps and the first wrong one, counted from 0; -1 for none.

What follows the first wrong step is not labelled.
"""

from collections.abc import Mapping
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.fields import (
    lines_of,
    optional_text,
    text_of,
    texts_of,
    whole_number,
)
from pav.models.formats.records import Format, ImportedLabel, ImportedSolution, Parsed

NO_ERROR = -1


def parse(fields: Mapping[str, Any]) -> Parsed:
    """Return the solution of a row, its steps up to the first wrong one labelled."""
    steps = texts_of(fields, "steps")
    first_wrong = whole_number("label", fields.get("label"))
    if not NO_ERROR <= first_wrong < len(steps):
        raise InputError(
            f"label: expected {NO_ERROR} or a step from 0 to {len(steps) - 1}, got {first_wrong}"
        )
    is_correct = fields.get("final_answer_correct")
    if is_correct is not None and not isinstance(is_correct, bool):
        raise InputError(f"final_answer_correct: expected true or false, got {shown(is_correct)}")
    num_labelled = len(steps) if first_wrong == NO_ERROR else first_wrong + 1
    labels = tuple(
        ImportedLabel(number, "error", float(number == first_wrong + 1))
        for number in range(1, num_labelled + 1)
    )
    solution = ImportedSolution(
        question=text_of(fields, "problem"),
        steps=lines_of(steps, end="\n\n", is_whole=True),
        labels=labels,
        policy=optional_text(fields, "generator"),
        is_correct=is_correct,
    )
    return Parsed((solution,))


FORMAT = Format(
    "processbench", parse, silences=("no answers; verdicts are what final_answer_correct says",)
)
