"""Bounds on solutions made elsewhere, so that no row of a file fills the store or the memory."""

from collections.abc import Iterable

from pav.models.errors import InputError
from pav.models.formats.records import ImportedSolution

# A response of 32,000 tokens has a tenth of these. A row may hold many responses with shared steps.
MOST_STEPS, MOST_CHARACTERS = 10_000, 1_000_000
MOST_ROW_STEPS, MOST_ROW_CHARACTERS = 10 * MOST_STEPS, 10 * MOST_CHARACTERS


def bounded(solutions: Iterable[ImportedSolution]) -> tuple[ImportedSolution, ...]:
    """Return the solutions of a row; InputError as soon as they are longer than they may be."""
    kept = []
    num_steps = num_characters = 0
    for solution in solutions:
        steps, characters = len(solution.steps), sum(map(len, solution.steps))
        if steps > MOST_STEPS or characters > MOST_CHARACTERS:
            raise InputError(
                f"expected a response of at most {MOST_STEPS:,} steps and {MOST_CHARACTERS:,} "
                f"characters, got {steps:,} and {characters:,}; {_REMEDY}"
            )
        num_steps, num_characters = num_steps + steps, num_characters + characters
        if num_steps > MOST_ROW_STEPS or num_characters > MOST_ROW_CHARACTERS:
            raise InputError(
                f"expected solutions of at most {MOST_ROW_STEPS:,} steps and "
                f"{MOST_ROW_CHARACTERS:,} characters in one row, got more; {_REMEDY}"
            )
        kept.append(solution)
    return tuple(kept)


_REMEDY = "make the steps longer (problems.segmenter) or the response shorter, or leave the row out"
