"""The holder of a role that requests name: an engine, or one head of a scorer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pav.tasks.engine.protocol import Engine


class ScoresSequences(Protocol):
    """A verifier as the driver sees it: token ids and step ends in, probabilities out."""

    def score(
        self, sequences: Sequence[Sequence[int]], ends: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Return, for each sequence, probabilities of shape (num_ends, num_heads)."""
        ...


@dataclass(frozen=True)
class PolicyRole:
    """An engine under the role name that requests use."""

    policy_id: str
    engine: Engine


@dataclass(frozen=True)
class VerifierRole:
    """One head of a scorer; roles that share a scorer object share its forward passes."""

    scorer: ScoresSequences
    head: int = 0
