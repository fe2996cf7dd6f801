"""`pav score FILE`: scores of a trained verifier for solutions that were made elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from pav.tasks.score.files import read_rows, scored_lines
from pav.tasks.score.verifier import load_verifier


@dataclass(frozen=True)
class Scored:
    """JSON lines with the scores, and what to tell a person about them."""

    lines: Sequence[str]
    summary: str


def score(path: str, folder: str, *, head: str) -> Scored:
    """Return the scores of a file's solutions by the verifier of a folder."""
    verifier = load_verifier(folder, head=head)
    rows = read_rows(path, verifier)
    scores = verifier.score_all([row.solution for row in rows])
    num_steps = sum(len(each.steps) for each in scores)
    summary = f"{path}: {len(rows):,} solutions with {num_steps:,} steps scored by {verifier.head}"
    if verifier.note:
        summary += f"; {verifier.note}"
    return Scored(scored_lines(rows, scores), summary)
