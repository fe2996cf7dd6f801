"""Verdicts on many responses at once: the domain's, and the pool's where the domain is in doubt."""

from collections.abc import Sequence
from typing import Protocol

from pav.models.domains import Domain
from pav.models.domains.math.domain import judged
from pav.models.records import Doubt, Grading, Prefix, Problem, Verdict
from pav.tasks.grade.pool import Comparison

# Above this many all comparisons but those wanted now are forgotten; a shard has far fewer.
MOST_REMEMBERED = 1 << 18


class Compares(Protocol):
    """Settles doubts, as a `GradingPool` does; one comparison for each doubt."""

    def compare(self, doubts: Sequence[Doubt]) -> list[Comparison]:
        """Return whether the answers of each doubt are the same."""
        ...

    def close(self) -> None:
        """Let go of what compares."""
        ...


class Grader:
    """Grades for one domain; each distinct pair of answers is compared once, however often met."""

    def __init__(
        self, domain: Domain, pool: Compares, *, most_remembered: int = MOST_REMEMBERED
    ) -> None:
        self._domain = domain
        self._pool = pool
        self._most_remembered = most_remembered
        self._known: dict[tuple[str, str], Comparison] = {}

    def grade(self, responses: Sequence[tuple[Problem, Prefix]]) -> list[Grading]:
        """Return a verdict on each response; `failed` where the symbolic grader gave out."""
        first = [self._domain.grade(problem, response) for problem, response in responses]
        doubts = [each for each in first if isinstance(each, Doubt)]
        if doubts:
            self._settle(doubts)
        return [each if isinstance(each, Grading) else self._verdict(each) for each in first]

    def close(self) -> None:
        """End the processes of the pool."""
        self._pool.close()

    def _settle(self, doubts: Sequence[Doubt]) -> None:
        """Compare the pairs that are not known yet, after making room for them."""
        new = {
            (doubt.gold, doubt.answer): doubt
            for doubt in doubts
            if (doubt.gold, doubt.answer) not in self._known
        }
        if len(self._known) + len(new) > self._most_remembered:
            wanted = {(doubt.gold, doubt.answer) for doubt in doubts}
            self._known = {pair: self._known[pair] for pair in wanted if pair in self._known}
        if new:
            self._known.update(zip(new, self._pool.compare(list(new.values())), strict=True))

    def _verdict(self, doubt: Doubt) -> Grading:
        comparison = self._known[doubt.gold, doubt.answer]
        if comparison.is_same is None:
            return Grading(Verdict.FAILED, comparison.reason)
        return judged(comparison.is_same, doubt.reason)
