"""The text that a policy sees before the first step of each published problem."""

from collections.abc import Iterable, Iterator
from typing import Any

from pav.models.domains import Domain, domain
from pav.models.records import Problem
from pav.tasks.store.datasets import SCHEMAS
from pav.tasks.store.manifests import holding, read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit

_COLUMNS = [name for name in SCHEMAS["problems"] if name != "unit_id"]


def prompt_rows(store: Store, manifests: Iterable[Manifest]) -> list[dict[str, Any]]:
    """Return a row (problem_id, unit_id, prompt) for each problem of each unit that has any."""
    return [row for manifest in holding(manifests, "problems") for row in _rows(store, manifest)]


def _rows(store: Store, manifest: Manifest) -> Iterator[dict[str, Any]]:
    family = _family(manifest.unit)
    if family is None:
        return
    for fields in read_table(store, manifest, "problems", columns=_COLUMNS).iter_rows(named=True):
        problem = Problem(**fields)
        yield {
            "problem_id": problem.problem_id,
            "unit_id": manifest.unit.unit_id,
            "prompt": family.prompt(problem),
        }


def _family(unit: Unit) -> Domain | None:
    """Return the domain that a unit's settings name, template and all; None where it names none.

    An older store can name settings that this version does not know.
    """
    try:
        return domain(str(unit.parameters["domain"]))
    except (KeyError, TypeError, ValueError):
        return None
