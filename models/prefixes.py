"""Prefixes of a response and the names by which every unit knows them."""

import hashlib

from pav.models.hashing import canonical_json, digest
from pav.models.records import Prefix

_LENGTH = 20


def cut(response: Prefix, num_steps: int) -> Prefix:
    """Return the first steps of a response; finished only if they are all of a finished one."""
    whole = num_steps == len(response.steps)
    return Prefix(response.problem_id, response.steps[:num_steps], response.is_finished and whole)


def prefix_id(prefix: Prefix) -> str:
    """Return the name of a prefix: 20 hex digits of the hash of its problem, text and end."""
    return digest([prefix.problem_id, prefix.text, prefix.is_finished], length=_LENGTH)


def prefix_ids(response: Prefix) -> list[str]:
    """Return the names of all prefixes of a response, the bare problem first: see `prefix_id`.

    Canonical JSON writes a text character by character, so that one hash runs on over the steps.
    """
    running = hashlib.sha256(f'[{canonical_json(response.problem_id)},"'.encode())
    names = []
    for number, step in enumerate(("", *response.steps)):
        running.update(canonical_json(step)[1:-1].encode())
        is_finished = response.is_finished and number == len(response.steps)
        whole = running.copy()
        whole.update(b'",true]' if is_finished else b'",false]')
        names.append(whole.hexdigest()[:_LENGTH])
    return names


def imported_solution_id(response: Prefix, policy_id: str, *, repeat: int) -> str:
    """Return the name of a solution made elsewhere, by its content, wherever its row stands.

    `repeat` counts equal ones of the same policy, from 0.
    """
    key = ["outside", policy_id, response.problem_id, response.steps, response.is_finished, repeat]
    return digest(key, length=_LENGTH)


def sampled_solution_id(response: Prefix, policy_id: str, *, seed: int, number: int) -> str:
    """Return the name of a policy's solution, by what was drawn and by its content.

    Other settings may draw another response under the same seed and number.
    """
    key = [policy_id, response.problem_id, seed, number, response.steps, response.is_finished]
    return digest(key, length=_LENGTH)
