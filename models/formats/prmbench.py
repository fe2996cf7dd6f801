"""PRMBench rows (arXiv 2501.03124): a process without an error, and the same with errors put in."""

from collections.abc import Collection, Mapping
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.fields import lines_of, text_of, texts_of, whole_number
from pav.models.formats.records import Format, ImportedLabel, ImportedSolution, Parsed

BEYOND = "wrong steps that are beyond the last one"


def parse(fields: Mapping[str, Any]) -> Parsed:
    """Return the original and the modified process; each step is wrong (1) or not (0)."""
    original, modified = (texts_of(fields, f"{name}_process") for name in ("original", "modified"))
    given = fields.get("error_steps")
    if not isinstance(given, list):
        raise InputError(f"error_steps: expected a list, got {shown(given)}")
    wrong = {whole_number("error_steps", step) for step in given}
    # Some classes of rows modify the process into another right one, and name no step.
    if wrong and not 1 <= min(wrong) <= len(modified):
        raise InputError(
            f"error_steps: expected steps from 1 to {len(modified)}, got {sorted(wrong)}"
        )
    beyond = sum(step > len(modified) for step in wrong)
    solutions = (
        _solution(text_of(fields, "original_question"), original, wrong=()),
        _solution(text_of(fields, "modified_question"), modified, wrong=wrong),
    )
    return Parsed(solutions, {BEYOND: beyond} if beyond else {})


def _solution(question: str, steps: list[str], *, wrong: Collection[int]) -> ImportedSolution:
    labels = tuple(
        ImportedLabel(number, "error", float(number in wrong))
        for number in range(1, len(steps) + 1)
    )
    return ImportedSolution(question, lines_of(steps, end="\n", is_whole=True), labels)


FORMAT = Format("prmbench", parse, silences=("no answers, so no verdicts", "no policy"))
