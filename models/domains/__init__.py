"""Families of problems by name, and what each of them can do."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pav.models.domains.countdown.kind import COUNTDOWN
from pav.models.domains.domain import Domain
from pav.models.domains.kind import DomainKind, Embedded, Lessons, Solver
from pav.models.domains.math.kind import MATH
from pav.models.errors import InputError
from pav.models.plugins import Registry
from pav.models.settings import RunSettings

__all__ = [
    "DOMAINS", "Domain", "DomainKind", "check_stepwise", "domain", "domain_key", "domain_of",
    "embedded_of", "kind_of", "lessons_of", "solver_of",
]  # fmt: skip

DOMAINS = Registry(
    "domains",
    {"countdown": COUNTDOWN, "math": MATH},
    is_entry=lambda entry: isinstance(entry, DomainKind),
)


def domain_key(settings: RunSettings) -> str:
    """Return the name of a domain with the settings that change its prompts, steps or verdicts.

    Units name their domain by this key, so that another setting makes other units.
    """
    name = settings.problems.domain
    options = kind_of(name).options(settings)
    return f"{name} {json.dumps(options, sort_keys=True)}" if options else name


def kind_of(key: str) -> DomainKind:
    """Return the entry of a domain by its name or key; InputError where there is none."""
    name = _parts(key)[0]
    if name not in DOMAINS:
        raise InputError(
            f"domain: expected one of {sorted(DOMAINS)}, got {name!r}; is its package installed?"
        )
    return DOMAINS[name]


@lru_cache(maxsize=64)
def domain(key: str) -> Domain:
    """Return the domain of a name, or of a name and its settings as `domain_key` writes them."""
    name, options = _parts(key)
    made: Domain = kind_of(key).make(**options)
    if made.name != name:
        raise InputError(
            f"domain {name!r}: expected the attribute `name` to be that of the entry point, got "
            f"{made.name!r}; give both one name"
        )
    return made


def domain_of(settings: RunSettings) -> Domain:
    """Return the domain that the settings describe; InputError where they contradict each other."""
    return domain(domain_key(settings))


def solver_of(key: str) -> Solver | None:
    """Return the exact solver of a domain; None where it has none."""
    solver = kind_of(key).solver
    return solver(domain(key)) if solver else None


def embedded_of(key: str) -> Embedded | None:
    """Return the problems that a domain makes without a file; None where it makes none."""
    embedded = kind_of(key).embedded
    return embedded(domain(key)) if embedded else None


def lessons_of(key: str) -> Lessons | None:
    """Return what the embedded policy can learn of a domain; None where it can learn nothing."""
    lessons = kind_of(key).lessons
    return lessons(domain(key)) if lessons else None


def check_stepwise(family: Domain) -> None:
    """Raise InputError where responses of a domain cannot be sampled step by step."""
    if not family.delimiter:
        raise InputError(
            "problems: expected steps that end with a text that a policy can be stopped at, as "
            "sampling step by step needs (problems.segmenter line or paragraph of math), got "
            f"{family.step_settings or family.name}; its responses can be sampled, labelled and "
            "trained on (up to `pav train`)"
        )


def _parts(key: str) -> tuple[str, Mapping[str, Any]]:
    name, _, options = key.partition(" ")
    return name, json.loads(options or "{}")
