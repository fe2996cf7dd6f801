"""What every engine does: token ids in; finished samples out, in any order."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from pav.models.records import Generated, Generation


class Engine(Protocol):
    """Decodes for one policy. A lost engine raises EngineError from any call."""

    version: int

    def submit(self, generations: Iterable[Generation]) -> None:
        """Queue requests; InputError where a sequence does not fit the context."""
        ...

    def poll(self) -> list[Generated]:
        """Work for a moment and return the samples that finished; empty while none has."""
        ...

    def cancel(self, request_ids: Iterable[int]) -> None:
        """Drop requests; samples of theirs that have not been returned never are."""
        ...

    def log_probs(self, sequences: Sequence[tuple[tuple[int, ...], int]]) -> list[float]:
        """Return the log-probability, in nats, of each sequence's tokens from a place on.

        It is that of the distribution which samples are drawn from.
        """
        ...

    def load_weights(self, folder: Path) -> None:
        """Change the weights and raise `version`; RuntimeError while anything is in flight."""
        ...

    def close(self) -> None:
        """Give back memory and processes."""
        ...
