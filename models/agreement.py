"""How the verdicts on responses agree with what somebody expected, and with a second grader."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pav.models.records import Verdict


@dataclass(frozen=True)
class Agreement:
    """Counts of (expected to be right, verdict)."""

    counts: Counter[tuple[bool, Verdict]]

    @property
    def num_rows(self) -> int:
        """Rows that say what is expected."""
        return self.counts.total()

    @property
    def num_agreeing(self) -> int:
        """Rows that are called right exactly where they are expected to be."""
        return sum(n for (right, verdict), n in self.counts.items() if right == _is_right(verdict))

    def as_text(self) -> str:
        """Return the counts as a table: a row for each expectation, a column for each verdict."""
        lines = [f"{'expected':10}" + "".join(f"{verdict:>11}" for verdict in Verdict)]
        for right, name in ((True, "right"), (False, "not right")):
            cells = "".join(f"{self.counts[right, verdict]:11,}" for verdict in Verdict)
            lines.append(f"{name:10}{cells}")
        share = self.num_agreeing / self.num_rows
        lines.append(f"agreement {self.num_agreeing:,} of {self.num_rows:,} ({share:.2%})")
        return "\n".join(lines)


def agreement(pairs: Iterable[tuple[bool | None, Verdict]]) -> Agreement:
    """Count verdicts by their expectation; rows without an expectation are left out."""
    return Agreement(Counter((right, verdict) for right, verdict in pairs if right is not None))


def disagreements(verdicts: Sequence[Verdict], audited: Sequence[bool | None]) -> list[int]:
    """Return the indices where a second grader can tell and contradicts the first.

    Responses that were cut off, or on which the first grader gave out, are not compared.
    """
    compared = (Verdict.CORRECT, Verdict.WRONG, Verdict.UNPARSED)
    return [
        index
        for index, (verdict, right) in enumerate(zip(verdicts, audited, strict=True))
        if right is not None and verdict in compared and right != _is_right(verdict)
    ]


def _is_right(verdict: Verdict) -> bool:
    return verdict == Verdict.CORRECT
