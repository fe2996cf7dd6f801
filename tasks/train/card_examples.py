"""One held-out solution with its scores, which a model card shows how to reproduce."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pav.models.domains import Domain, domain
from pav.models.records import Prefix, Problem

# Questions with a place for each part show how a domain writes a prompt.
_QUESTION, _ANSWER = "{question}", "{answer}"


@dataclass(frozen=True)
class CardExample:
    """A solution as a verifier reads it; `scores` of the first head, at the prompt and each step.

    `scores` is empty where nothing was held out.
    """

    problem: Problem
    prompt: str
    steps: tuple[str, ...]
    is_finished: bool
    scores: tuple[float, ...]


def card_example(
    family: Domain,
    problems: Mapping[str, Problem],
    *,
    solutions: pl.DataFrame,
    rows: Sequence[Mapping[str, Any]],
    otherwise: Prefix,
) -> CardExample:
    """Return the shortest right solution that was scored; where none was scored, another one.

    Args:
        family: the domain of the problems.
        problems: by id.
        solutions: the data set `solutions`, in which the scored ones are.
        rows: of the data set `scores`.
        otherwise: what to show where there are no rows.
    """
    scored = solutions.filter(pl.col("solution_id").is_in({row["solution_id"] for row in rows}))
    if scored.is_empty():
        return _example(family, problems, otherwise, ())
    chosen = min(scored.iter_rows(named=True), key=_place)
    head = rows[0]["verifier"]
    mine = [
        (row["num_steps"], row["score"])
        for row in rows
        if row["solution_id"] == chosen["solution_id"] and row["verifier"] == head
    ]
    prefix = Prefix(chosen["problem_id"], tuple(chosen["steps"]), chosen["finish_reason"] == "stop")
    return _example(family, problems, prefix, tuple(score for _, score in sorted(mine)))


def _example(
    family: Domain, problems: Mapping[str, Problem], prefix: Prefix, scores: tuple[float, ...]
) -> CardExample:
    problem = problems[prefix.problem_id]
    return CardExample(problem, family.prompt(problem), prefix.steps, prefix.is_finished, scores)


def _place(solution: Mapping[str, Any]) -> tuple[bool, bool, bool, int, str]:
    """Whole, right solutions of two steps or more come first, short ones before long ones."""
    steps = solution["steps"]
    return (
        solution["finish_reason"] != "stop",
        solution["verdict"] != "correct",
        len(steps) < 2,
        sum(map(len, steps)),
        solution["solution_id"],
    )


def prompt_template(family: Domain) -> str:
    """Return a domain's prompt with `{question}` and, where it is in there, `{answer}`."""
    return family.prompt(Problem("", family.name, _QUESTION, _ANSWER, ""))


def step_rule(domain_key: str) -> str:
    """Return in words where a step ends, by the name of a domain with its settings."""
    family = domain(domain_key)
    if delimiter := family.delimiter:
        return (
            f"a step ends with `{json.dumps(delimiter)}`, which belongs to it; the last one ends "
            "where the response does."
        )
    cut_by = family.step_settings or f"problems.domain={family.name}"
    return f"the response as `pav` cuts it with {cut_by}."
