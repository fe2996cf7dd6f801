"""The embedded problems, which a domain makes without a file, split up to each split's limit."""

from collections.abc import Callable
from itertools import islice

from pav.models.domains import domain_key, domain_of, embedded_of
from pav.models.domains.kind import Embedded
from pav.models.errors import InputError
from pav.models.records import Problem
from pav.models.settings import ProblemSettings, RunSettings
from pav.models.splits import hash_split, place

Progress = Callable[[str, float, float], None]


def embedded_source(settings: RunSettings) -> Embedded:
    """Return what makes problems without a file; InputError where the domain has none such."""
    if source := embedded_of(domain_key(settings)):
        return source
    raise InputError(
        "problems.path: expected a file of questions with answers, got none; the domain "
        f"{settings.problems.domain!r} has no embedded problems, as countdown has"
    )


def embedded_problems(settings: RunSettings, *, progress: Progress) -> list[Problem]:
    """Return the problems in the order of their groups' hashes, up to each split's limit."""
    source, family = embedded_source(settings), domain_of(settings)
    groups = sorted(source.groups(settings), key=lambda group: place(group.key))
    room = limits(settings.problems)
    chosen: list[Problem] = []
    for done, group in enumerate(groups):
        progress("embedded problems checked", done, len(groups))
        split = hash_split(group.key)
        problems = [
            family.problem(question, answer, problem_id="", split=split)
            for question, answer in islice(group.asked, room[split])
        ]
        room[split] -= len(problems)
        chosen += problems
    if not chosen:
        raise InputError(_nothing(settings, source))
    return chosen


def limits(settings: ProblemSettings) -> dict[str, int]:
    """Return how many problems each split may have."""
    return {
        "train": settings.max_train,
        "validation": settings.max_validation,
        "test": settings.max_test,
    }


def _nothing(settings: RunSettings, source: Embedded) -> str:
    decided = ", ".join(f"{name}={value}" for name, value in source.parameters(settings).items())
    return (
        f"problems: expected an embedded problem of {settings.problems.domain} that has a "
        f"solution, got none with {decided}; choose other values"
    )
