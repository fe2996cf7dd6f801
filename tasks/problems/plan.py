"""Which unit the problems of a run are: those of a file, or the embedded ones."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pav.models.domains import domain_key, domain_of
from pav.models.hashing import digest
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.models.splits import place
from pav.tasks.problems.embedded import embedded_source
from pav.tasks.problems.files import parse_problems
from pav.tasks.problems.rows import file_bytes
from pav.tasks.problems.solution_files import check_joined, imported_problems
from pav.tasks.store.units import Unit

STAGE = "problems"
REVISION = 1


def plan_problems(settings: RunSettings) -> Unit:
    """Return the unit of this stage; InputError where the user's file is missing or wrong."""
    chosen = settings.problems
    limits = {name: getattr(chosen, name) for name in ("max_train", "max_validation", "max_test")}
    parameters: dict[str, Any] = {"domain": domain_key(settings), **limits}
    if settings.sample.path and not chosen.path:
        return _plan_from_solutions(settings, parameters)
    if not chosen.path:
        embedded = embedded_source(settings).parameters(settings)
        return Unit(STAGE, "problems", REVISION, parameters | dict(embedded))
    data = file_bytes(chosen.path, asked_by="problems.path")
    # A wrong file is refused here, before anything runs or is written.
    parsed = parse_problems(chosen.path, data, family=domain_of(settings))
    if settings.sample.path:
        check_joined(settings, parsed.problems)
    name = Path(chosen.path).name
    parameters |= {"file": name, "sha256": hashlib.sha256(data).hexdigest()}
    return Unit(STAGE, f"problems of {name}", REVISION, parameters)


def _plan_from_solutions(settings: RunSettings, parameters: dict[str, Any]) -> Unit:
    """The unit of the problems that a file of solutions holds, whatever solutions it has."""
    name = Path(settings.sample.path).name
    content = content_of(imported_problems(settings))
    return Unit(
        STAGE, f"problems of {name}", REVISION, parameters | {"file": name, "problems": content}
    )


def content_of(problems: Iterable[Problem]) -> str:
    """Return the hash of some problems, whatever their order."""
    return digest([asdict(problem) for problem in in_order(problems)])


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by the hash of their content, the order in which splits are filled."""
    return sorted(problems, key=lambda problem: place(problem.canonical_key))
