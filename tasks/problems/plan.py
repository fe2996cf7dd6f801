"""Which unit the problems of a run are: those of a file, or the embedded ones."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pav.models.domains import domain_key, domain_of
from pav.models.errors import InputError
from pav.models.hashing import digest
from pav.models.records import Problem
from pav.models.settings import ProblemSettings, RunSettings
from pav.models.splits import place
from pav.tasks.problems.files import parse_problems
from pav.tasks.problems.rows import file_bytes
from pav.tasks.problems.solution_files import check_joined, imported_problems
from pav.tasks.store.units import Unit, Work

STAGE = "problems"
REVISION = 1
HIGHEST_TARGET = 10_000


class ProblemsWork(Work):
    """The problems of a domain, at most so many of each split. `domain` is the domain's key."""

    domain: str
    max_train: int
    max_validation: int
    max_test: int

    @property
    def limits(self) -> dict[str, int]:
        """How many problems each split may have."""
        return {
            "train": self.max_train,
            "validation": self.max_validation,
            "test": self.max_test,
        }


class HandsWork(ProblemsWork):
    """Embedded hands, either with one target or with some drawn from a range of targets."""

    highest: int
    # One count and one target stand as they always did, so that such units keep their names.
    num_numbers: int | tuple[int, ...]
    target: int | None = None
    targets: tuple[int, ...] | None = None
    targets_per_hand: int | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """How many numbers a hand may have, in ascending order."""
        counts = self.num_numbers
        return (counts,) if isinstance(counts, int) else counts

    @property
    def most_targets(self) -> int:
        """How many problems a hand may become."""
        return self.targets_per_hand or 1


class FileWork(ProblemsWork):
    """Problems of the user's file of that name, which may lie anywhere.

    `sha256` is of a file of problems, `problems` of the problems that a file of solutions holds.
    """

    file: str
    sha256: str | None = None
    problems: str | None = None


def problems_work(unit: Unit) -> HandsWork | FileWork:
    """Return the work of a unit of this stage."""
    return FileWork.of(unit) if "file" in unit.parameters else HandsWork.of(unit)


def plan_problems(settings: RunSettings) -> Unit:
    """Return the unit of this stage; InputError where the user's file is missing or wrong."""
    chosen, sample = settings.problems, settings.sample
    if not chosen.path and not sample.path:
        return Unit(STAGE, "problems", REVISION, hands_work(chosen).parameters())
    if chosen.path:
        name = Path(chosen.path).name
        content = {"sha256": _content_of_file(settings)}
    else:
        name = Path(sample.path).name
        content = {"problems": content_of(imported_problems(sample, domain_key(chosen)))}
    work = FileWork(file=name, **_common(chosen), **content)
    return Unit(STAGE, f"problems of {name}", REVISION, work.parameters())


def hands_work(settings: ProblemSettings) -> HandsWork:
    """Return which embedded problems the settings ask for; InputError where there are none such."""
    _check_embedded(settings)
    counts = tuple(sorted(set(settings.num_numbers)))
    is_range = bool(settings.targets)
    return HandsWork(
        **_common(settings),
        highest=settings.highest,
        num_numbers=counts[0] if len(counts) == 1 else counts,
        target=None if is_range else settings.target,
        targets=settings.targets if is_range else None,
        targets_per_hand=settings.targets_per_hand if is_range else None,
    )


def _common(settings: ProblemSettings) -> dict[str, Any]:
    """Return the fields of `ProblemsWork`."""
    limits = settings.model_dump(include={"max_train", "max_validation", "max_test"})
    return {"domain": domain_key(settings), **limits}


def _content_of_file(settings: RunSettings) -> str:
    """Return the sha256 of the user's problems.

    A wrong file is refused here, before anything runs or is written.
    """
    path = settings.problems.path
    data = file_bytes(path, asked_by="problems.path")
    parsed = parse_problems(path, data, family=domain_of(settings.problems))
    if settings.sample.path:
        check_joined(settings, parsed.problems)
    return hashlib.sha256(data).hexdigest()


def content_of(problems: Iterable[Problem]) -> str:
    """Return the hash of some problems, whatever their order."""
    return digest([asdict(problem) for problem in in_order(problems)])


def _check_embedded(settings: ProblemSettings) -> None:
    if settings.domain != "countdown":
        raise InputError(
            "problems.path: expected a file of questions with answers, got none; only countdown "
            f"has embedded problems, problems.domain is {settings.domain}"
        )
    _check_targets(settings)


def _check_targets(settings: ProblemSettings) -> None:
    """Raise InputError unless the range of targets is one, where there is any."""
    given = settings.targets
    is_range = len(given) == 2 and 1 <= given[0] <= given[1] <= HIGHEST_TARGET
    if given and not is_range:
        raise InputError(
            "problems.targets: expected the lowest and the highest target, from 1 to "
            f"{HIGHEST_TARGET}, such as [1, 100], got {list(given)}"
        )
    if given and settings.targets_per_hand > given[1] - given[0] + 1:
        raise InputError(
            f"problems.targets_per_hand: expected at most the {given[1] - given[0] + 1} targets of "
            f"problems.targets, got {settings.targets_per_hand}"
        )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by the hash of their content, the order in which splits are filled."""
    return sorted(problems, key=lambda problem: place(problem.canonical_key))
