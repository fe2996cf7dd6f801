"""What an engine knows of each sample that it decodes, as arrays with one row per sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pav.models.records import Generation

Indices = NDArray[np.int64]


class Rows:
    """Samples by row; a row that is not `active` is free, whatever it holds.

    `lengths` counts a sample's prefix and its `produced` new tokens, which `tokens` holds.
    """

    def __init__(self, size: int, longest: int) -> None:
        self.active = np.zeros(size, bool)
        self.generations: NDArray[Any] = np.empty(size, object)
        self.streams = np.zeros(size, np.uint64)
        self.samples = np.zeros(size, np.uint64)
        self.lengths = np.zeros(size, np.int64)
        self.produced = np.zeros(size, np.int64)
        self.log_probs = np.zeros(size)
        self.limits = np.zeros(size, np.int64)
        self.until_step = np.zeros(size, bool)
        self.tokens = np.zeros((size, longest), np.int64)

    @classmethod
    def starting(cls, generations: Sequence[Generation]) -> "Rows":
        """Return a row for every sample of some requests, with room for its first token."""
        counts = [each.num_samples for each in generations]
        rows = cls(sum(counts), 1)
        rows.active[:] = True
        rows.generations[:] = [each for each in generations for _ in range(each.num_samples)]
        rows.samples[:] = np.concatenate([np.arange(count) for count in counts])
        rows.streams[:] = np.repeat(
            np.array([each.stream for each in generations], np.uint64), counts
        )
        rows.lengths[:] = np.repeat([len(each.token_ids) for each in generations], counts)
        rows.limits[:] = np.repeat([each.max_tokens for each in generations], counts)
        rows.until_step[:] = np.repeat([each.until_step for each in generations], counts)
        return rows

    def move(self, targets: Indices, source: "Rows", sources: Indices) -> None:
        """Take over rows of `source` (or of these), which frees them there."""
        for name in ("generations", "streams", "samples", "lengths", "produced", "log_probs",
                     "limits", "until_step"):  # fmt: skip
            getattr(self, name)[targets] = getattr(source, name)[sources]
        width = int(source.produced[sources].max(initial=0))
        self.tokens[targets, :width] = source.tokens[sources, :width]
        source.active[sources] = False
        self.active[targets] = True

    def drop(self, request_ids: set[int]) -> None:
        """Free the rows of some requests."""
        for row in np.flatnonzero(self.active):
            self.active[row] = self.generations[row].request_id not in request_ids
