"""Families of problems: how a question is shown, a response cut into steps and checked."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from pav.models.domains.countdown.domain import Countdown
from pav.models.domains.math.domain import Math
from pav.models.errors import InputError
from pav.models.records import Doubt, Grading, Prefix, Problem
from pav.models.settings import ProblemSettings


class Domain(Protocol):
    """What the rest of `pav` needs to know of a family of problems. Pure and picklable."""

    name: str
    # A step ends with this text; a response's last step ends where the policy stops. Empty where
    # no one text ends a step: such responses are sampled whole, never step by step.
    delimiter: str
    # Whether all whole responses to a problem have one number of steps: then the chance of each
    # can be compared as it is; else a longer one is less likely for its length alone.
    equal_lengths: bool
    # The settings that say where a response's answer stands; empty where a response that cannot
    # be read is wrong by itself.
    answer_settings: str

    def problem(self, question: str, answer: str, *, problem_id: str, split: str) -> Problem:
        """Return the checked problem with its canonical key; InputError says what is wrong."""
        ...

    def unanswered(self, question: str, *, problem_id: str, split: str) -> Problem:
        """Return a problem whose answer nobody knows; InputError where the domain has none such."""
        ...

    def prompt(self, problem: Problem) -> str:
        """Return the text a policy sees before the first step."""
        ...

    def split_steps(self, text: str) -> tuple[str, ...]:
        """Cut a response into steps; joined they are the text again."""
        ...

    def ends_step(self, step: str) -> bool:
        """Return whether a step is whole; what a token limit cut off within a step is not."""
        ...

    def grade(self, problem: Problem, prefix: Prefix) -> Grading | Doubt:
        """Check a whole response (`prefix.is_finished` False means it was cut off)."""
        ...

    def answer_key(self, response: Prefix) -> str | None:
        """Return what a finished response answers, the same text for equal answers, or None.

        It is what votes are counted by, so it must not know what is right. None: no answer.
        """
        ...

    def contradicts(self, problem: Problem, other: Problem) -> bool:
        """Return whether the answers of two problems with one canonical key surely differ."""
        ...

    def rephrasings(self, problem: Problem) -> Sequence[Problem]:
        """Return the same problem asked in several ways, as given first; answers stay the same."""
        ...

    def exercises(self, problem: Problem) -> Sequence[Problem]:
        """Return problems made of this one, itself as well, to train an embedded policy on."""
        ...

    def demonstrations(
        self, problem: Problem, *, limit: int, num_drawn: int, seed: int
    ) -> Sequence[tuple[str, ...]]:
        """Return correct responses, as steps, to train an embedded policy on.

        Up to `limit` of them, or `num_drawn` where there are too many to list them.
        """
        ...


DOMAINS: dict[str, Callable[..., Domain]] = {"countdown": Countdown, "math": Math}


@lru_cache(maxsize=64)
def domain(key: str) -> Domain:
    """Return the domain of a name, or of a name and its settings as `domain_key` writes them."""
    name, _, options = key.partition(" ")
    if name not in DOMAINS:
        raise InputError(f"domain: expected one of {sorted(DOMAINS)}, got {name!r}")
    values: dict[str, Any] = json.loads(options or "{}")
    # It tells units apart, and is nothing that can be chosen.
    values.pop("reading", None)
    return DOMAINS[name](**values)


def check_stepwise(family: Domain) -> None:
    """Raise InputError where responses of a domain cannot be sampled step by step."""
    if not family.delimiter:
        raise InputError(
            "problems.segmenter: expected line or paragraph, whose steps end with a text that a "
            "policy can be stopped at, as sampling step by step needs, got one without such a "
            "text; its responses can be sampled, labelled and trained on (up to `pav train`)"
        )


def domain_key(settings: ProblemSettings) -> str:
    """Return the name of a domain with the settings that change its prompts, steps or verdicts.

    Units name their domain by this key, so that another setting makes other units.
    """
    if settings.domain == "countdown":
        return settings.domain
    options = settings.model_dump(mode="json", include=set(Math.OPTIONS))
    options["reading"] = Math.READING
    return f"{settings.domain} {json.dumps(options, sort_keys=True)}"


def domain_of(settings: ProblemSettings) -> Domain:
    """Return the domain that the settings describe; InputError where they contradict each other."""
    return domain(domain_key(settings))
