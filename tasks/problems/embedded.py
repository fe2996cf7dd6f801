"""The embedded problems, which a domain makes without a file, split up to each split's limit."""

from collections.abc import Callable
from itertools import islice

from pav.models.domains import domain
from pav.models.errors import InputError
from pav.models.records import Problem
from pav.models.splits import hash_split, place
from pav.tasks.problems.plan import EmbeddedWork, embedded_source

Progress = Callable[[str, float, float], None]


def embedded_problems(work: EmbeddedWork, *, progress: Progress) -> list[Problem]:
    """Return the problems in the order of their groups' hashes, up to each split's limit."""
    source, family = embedded_source(work.domain), domain(work.domain)
    groups = sorted(source.groups(work.chosen), key=lambda group: place(group.key))
    room = work.limits
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
        decided = ", ".join(f"{name}={value}" for name, value in work.chosen.items())
        raise InputError(
            f"problems: expected an embedded problem of {family.name} that has a solution, got "
            f"none with {decided}; choose other values"
        )
    return chosen
