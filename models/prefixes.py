"""Prefixes of a response and the names by which every unit knows them."""

from pav.models.hashing import digest
from pav.models.records import Prefix


def cut(response: Prefix, num_steps: int) -> Prefix:
    """Return the first steps of a response; finished only if they are all of a finished one."""
    whole = num_steps == len(response.steps)
    return Prefix(response.problem_id, response.steps[:num_steps], response.is_finished and whole)


def prefix_id(prefix: Prefix) -> str:
    """Return the name of a prefix: 20 hex digits of the hash of its problem, text and end."""
    return digest([prefix.problem_id, prefix.text, prefix.is_finished], length=20)


def outside_solution_id(response: Prefix, policy_id: str, *, repeat: int) -> str:
    """Return the name of a solution made elsewhere, by its content, wherever its row stands.

    `repeat` counts equal ones of the same policy, from 0.
    """
    key = ["outside", policy_id, response.problem_id, response.steps, response.is_finished, repeat]
    return digest(key, length=20)
