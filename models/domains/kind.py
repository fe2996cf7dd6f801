"""What an entry of `DOMAINS` is: how a domain is made of settings, and what more it can do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pav.models.records import Prefix, Problem
from pav.models.settings import RunSettings

# Returns what rules out every right answer after a prefix, such as "illegal step"; empty where a
# right response starts with the prefix. A finished prefix must itself be right.
Solver = Callable[[Problem, Prefix], str]
# Returns whether a response ends in the answer; None where the second grader cannot tell.
Audit = Callable[[str, str], bool | None]


@dataclass(frozen=True)
class EmbeddedGroup:
    """Questions with answers that stand in one split; `asked` is read only as far as wanted."""

    # The hash of this text decides the split and the place in its order.
    key: str
    asked: Iterable[tuple[str, str]]


class Embedded(Protocol):
    """Problems that a domain makes without a file."""

    def parameters(self, settings: RunSettings) -> Mapping[str, Any]:
        """Return what decides the problems, as JSON values; InputError where they cannot be."""
        ...

    def groups(self, parameters: Mapping[str, Any]) -> Sequence[EmbeddedGroup]:
        """Return the problems in groups, whatever their order, of what `parameters` returned."""
        ...


class Lessons(Protocol):
    """What the embedded policy is trained on."""

    def parameters(self, settings: RunSettings) -> Mapping[str, Any]:
        """Return what decides the lessons besides problems and domain, as JSON values."""
        ...

    def exercises(self, problem: Problem) -> Sequence[Problem]:
        """Return problems made of this one, itself as well, to train an embedded policy on."""
        ...

    def demonstrations(
        self, problem: Problem, *, limit: int, num_drawn: int, seed: int
    ) -> Sequence[tuple[str, ...]]:
        """Return correct responses, as steps; the same for the same seed.

        Up to `limit` of them, or `num_drawn` where there are too many to list them.
        """
        ...


def no_options(settings: RunSettings) -> Mapping[str, Any]:
    """Return nothing: no setting changes the domain."""
    return {}


@dataclass(frozen=True, kw_only=True)
class DomainKind:
    """A family of problems; None stands for what it cannot do.

    Args:
        make: returns the `Domain`; its keywords are the options.
        options: returns the settings that change prompts, steps or verdicts, as JSON values. They
            stand in the domain's key, so that units with other options have other ids.
        solver: returns the exact solver of a domain; the report holds labels against it.
        embedded: returns a domain's problems that need no file.
        lessons: returns what the embedded policy is trained on.
        audit: the second grader, of the right answer and a response's text (`pav grade --audit`).
    """

    make: Callable[..., Any]
    options: Callable[[RunSettings], Mapping[str, Any]] = no_options
    solver: Callable[[Any], Solver] | None = None
    embedded: Callable[[Any], Embedded] | None = None
    lessons: Callable[[Any], Lessons] | None = None
    audit: Audit | None = None
