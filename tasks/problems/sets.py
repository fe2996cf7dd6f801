"""Distinct problems from rows, in whatever file: what one row alone cannot tell is checked here."""

from collections.abc import Iterator
from dataclasses import replace

from pav.models.domains import Domain
from pav.models.errors import InputError, shown
from pav.models.records import Problem
from pav.models.splits import hash_split


class ProblemSet:
    """Collects problems; equal ones are one, ids and splits and answers must not clash."""

    def __init__(self, family: Domain) -> None:
        self._family = family
        self._problems: dict[str, Problem] = {}
        self._key_of_id: dict[str, tuple[str, int]] = {}
        self._line_of_key: dict[str, int] = {}
        self._split_of_key: dict[str, tuple[str, int]] = {}

    def add(self, problem: Problem, line: int) -> bool:
        """Take a problem in and return whether it is new; InputError where it clashes.

        The first row of a problem counts, or the first one that knows the answer.
        """
        self._check_problem_id(problem, line)
        self._check_split(problem, line)
        self._check_answer(problem, line)
        known = self._problems.setdefault(problem.canonical_key, problem)
        if problem.answer and not known.answer:
            self._problems[problem.canonical_key] = replace(problem, problem_id=known.problem_id)
        return known is problem

    def problem(self, canonical_key: str) -> Problem:
        """Return a problem as it stands after all rows: its split is the one that any row names."""
        problem = self._problems[canonical_key]
        named, _ = self._split_of_key.get(canonical_key, ("", 0))
        return replace(problem, split=named or hash_split(canonical_key))

    def __iter__(self) -> Iterator[Problem]:
        """Yield the problems in the order of their first rows."""
        return map(self.problem, self._problems)

    def _check_problem_id(self, problem: Problem, line: int) -> None:
        key = problem.canonical_key
        known_key, known_line = self._key_of_id.setdefault(problem.problem_id, (key, line))
        if known_key != key:
            raise InputError(
                f"problem_id: {shown(problem.problem_id)} is already that of another problem on "
                f"line {known_line}"
            )

    def _check_answer(self, problem: Problem, line: int) -> None:
        if not problem.answer:
            return
        known_line = self._line_of_key.setdefault(problem.canonical_key, line)
        known = self._problems.get(problem.canonical_key, problem)
        if known.answer and self._family.contradicts(known, problem):
            raise InputError(
                f"answer: the same question has the answer {known.answer[-40:]!r} on line "
                f"{known_line}, got {problem.answer[-40:]!r}"
            )

    def _check_split(self, problem: Problem, line: int) -> None:
        if not problem.split:
            return
        key = problem.canonical_key
        known_split, known_line = self._split_of_key.setdefault(key, (problem.split, line))
        if known_split != problem.split:
            raise InputError(
                f"split: the same problem ({key}) is in {known_split!r} on line {known_line} and "
                f"in {problem.split!r} here; keep it in one"
            )
