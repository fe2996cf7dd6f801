"""Which unit the problems of a run are: those of a file, or the embedded ones."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from pav.models.domains import domain, domain_key, domain_of, embedded_of
from pav.models.domains.kind import Embedded
from pav.models.errors import InputError
from pav.models.hashing import digest
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.models.splits import place
from pav.tasks.problems.files import parse_problems
from pav.tasks.problems.rows import file_bytes
from pav.tasks.problems.solution_files import check_joined, imported_problems
from pav.tasks.store.units import Unit, Work

STAGE = "problems"
REVISION = 1


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


class EmbeddedWork(ProblemsWork):
    """Problems that the domain makes without a file; what decides them is the domain's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def chosen(self) -> Mapping[str, Any]:
        """What decides the problems, as the domain's `Embedded.parameters` gave it."""
        return self.model_extra or {}


class FileWork(ProblemsWork):
    """Problems of the user's file of that name, which may lie anywhere.

    `sha256` is of a file of problems, `problems` of the problems that a file of solutions holds.
    """

    file: str
    sha256: str | None = None
    problems: str | None = None


def problems_work(unit: Unit) -> EmbeddedWork | FileWork:
    """Return the work of a unit of this stage."""
    return FileWork.of(unit) if "file" in unit.parameters else EmbeddedWork.of(unit)


def plan_problems(settings: RunSettings) -> Unit:
    """Return the unit of this stage; InputError where the user's file is missing or wrong."""
    path, solutions = settings.problems.path, settings.sample.path
    if not path and not solutions:
        return Unit(STAGE, "problems", REVISION, embedded_work(settings).parameters())
    name = Path(path or solutions).name
    if path:
        content = {"sha256": _content_of_file(settings)}
    else:
        imported = imported_problems(settings.sample, domain_key(settings))
        content = {"problems": content_of(imported)}
    work = FileWork(file=name, **_common(settings), **content)
    return Unit(STAGE, f"problems of {name}", REVISION, work.parameters())


def embedded_work(settings: RunSettings) -> EmbeddedWork:
    """Return which embedded problems the settings ask for; InputError where there are none such."""
    chosen = embedded_source(domain_key(settings)).parameters(settings)
    return EmbeddedWork(**_common(settings), **chosen)


def embedded_source(key: str) -> Embedded:
    """Return what makes problems without a file; InputError where a domain has none such."""
    if source := embedded_of(key):
        return source
    raise InputError(
        "problems.path: expected a file of questions with answers, got none; the domain "
        f"{domain(key).name!r} has no embedded problems, as countdown has"
    )


def _common(settings: RunSettings) -> dict[str, Any]:
    """Return the fields of `ProblemsWork`."""
    limits = settings.problems.model_dump(include={"max_train", "max_validation", "max_test"})
    return {"domain": domain_key(settings), **limits}


def _content_of_file(settings: RunSettings) -> str:
    """Return the sha256 of the user's problems.

    A wrong file is refused here, before anything runs or is written.
    """
    path = settings.problems.path
    data = file_bytes(path, asked_by="problems.path")
    parsed = parse_problems(path, data, family=domain_of(settings))
    if settings.sample.path:
        check_joined(settings, parsed.problems)
    return hashlib.sha256(data).hexdigest()


def content_of(problems: Iterable[Problem]) -> str:
    """Return the hash of some problems, whatever their order."""
    return digest([asdict(problem) for problem in in_order(problems)])


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by the hash of their content, the order in which splits are filled."""
    return sorted(problems, key=lambda problem: place(problem.canonical_key))
