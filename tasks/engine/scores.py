"""Answers Score requests of many algorithms: each distinct prefix by one forward pass."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pav.models.errors import InputError
from pav.models.records import Prefix, Score
from pav.tasks.engine.roles import ScoresSequences, VerifierRole
from pav.tasks.engine.tokens import Codec

Role = TypeVar("Role")
Reply = tuple[tuple[float, ...], ...]


def role_named(roles: Mapping[str, Role], name: str, kind: str) -> Role:
    """Return who plays a role; InputError where nobody does."""
    if name not in roles:
        raise InputError(f"{kind}: expected one of {sorted(roles)}, got {name!r}")
    return roles[name]


@dataclass
class Scores:
    """What verifiers said of the prefixes of one run; `costs[i]` counts what algorithm i used.

    `timed` measures a block under a name.
    """

    codec: Codec
    verifiers: Mapping[str, VerifierRole]
    costs: Sequence[Counter[str]]
    timed: Callable[[str], AbstractContextManager[None]]
    _known: dict[tuple[int, Prefix], NDArray[np.float64]] = field(default_factory=dict)

    def answer(self, wanted: Sequence[tuple[int, Score]]) -> list[tuple[int, Reply]]:
        """Return the replies to the requests of algorithms, by their numbers."""
        by_scorer: dict[int, tuple[ScoresSequences, dict[Prefix, int]]] = {}
        for index, request in wanted:
            scorer = role_named(self.verifiers, request.verifier, "verifier").scorer
            _, missing = by_scorer.setdefault(id(scorer), (scorer, {}))
            for prefix in request.prefixes:
                if (id(scorer), prefix) not in self._known:
                    missing.setdefault(prefix, index)
        for scorer, missing in by_scorer.values():
            self._score(scorer, missing)
        return [(index, self._reply(request)) for index, request in wanted]

    def _score(self, scorer: ScoresSequences, missing: Mapping[Prefix, int]) -> None:
        encoded = [self.codec.encode_with_ends(prefix) for prefix in missing]
        with self.timed("scoring_seconds"):
            values = scorer.score([ids for ids, _ in encoded], [ends for _, ends in encoded])
        for (prefix, index), (ids, _), scores in zip(missing.items(), encoded, values, strict=True):
            self._known[id(scorer), prefix] = scores
            self.costs[index].update(scored_tokens=len(ids), scored_prefixes=1)

    def _reply(self, request: Score) -> Reply:
        role = self.verifiers[request.verifier]
        rows = [self._known[id(role.scorer), prefix] for prefix in request.prefixes]
        return tuple(tuple(row[:, role.head].tolist()) for row in rows)
