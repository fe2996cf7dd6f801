"""Families of problems: how a question is shown, a response cut into steps and checked."""

from collections.abc import Sequence
from typing import Protocol

from pav.models.domains.countdown import Countdown
from pav.models.errors import InputError
from pav.models.records import Grading, Prefix, Problem


class Domain(Protocol):
    """What the rest of `pav` needs to know of a family of problems. Pure and picklable."""

    name: str
    # A step ends with this text; a response's last step ends where the policy stops.
    delimiter: str

    def problem(self, question: str, answer: str, *, problem_id: str, split: str) -> Problem:
        """Return the checked problem with its canonical key; InputError says what is wrong."""
        ...

    def prompt(self, problem: Problem) -> str:
        """Return the text a policy sees before the first step."""
        ...

    def split_steps(self, text: str) -> tuple[str, ...]:
        """Cut a response into steps; joined they are the text again."""
        ...

    def grade(self, problem: Problem, prefix: Prefix) -> Grading:
        """Check a whole response (`prefix.is_finished` False means it was cut off)."""
        ...

    def rephrasings(self, problem: Problem) -> Sequence[Problem]:
        """Return the same problem asked in several ways, as given first; answers stay the same."""
        ...

    def exercises(self, problem: Problem) -> Sequence[Problem]:
        """Return problems made of this one, itself as well, to train an embedded policy on."""
        ...

    def demonstrations(
        self, problem: Problem, *, limit: int, seed: int
    ) -> Sequence[tuple[str, ...]]:
        """Return up to `limit` correct responses, as steps, to train an embedded policy on."""
        ...


DOMAINS: dict[str, Domain] = {"countdown": Countdown()}


def domain(name: str) -> Domain:
    """Return the domain of a name."""
    if name not in DOMAINS:
        raise InputError(f"domain: expected one of {sorted(DOMAINS)}, got {name!r}")
    return DOMAINS[name]
