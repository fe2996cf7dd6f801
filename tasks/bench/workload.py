"""The prefixes that benches label, and the rates."""

from collections.abc import Sequence
from dataclasses import dataclass

from pav.models.planners.rollouts import Graded
from pav.models.records import Prefix


@dataclass(frozen=True)
class Workload:
    """Prefixes by problem, each to get `num_rollouts` rollouts of at most `max_tokens`."""

    prefixes: dict[str, list[Prefix]]
    num_rollouts: int
    max_tokens: int

    @property
    def num_labels(self) -> int:
        """How many prefixes there are."""
        return sum(map(len, self.prefixes.values()))

    def first(self, num_problems: int) -> "Workload":
        """Return the part with the first problems only."""
        kept = dict(list(self.prefixes.items())[:num_problems])
        return Workload(kept, self.num_rollouts, self.max_tokens)


@dataclass(frozen=True)
class Rate:
    """What one way of working reached."""

    name: str
    labels_per_second: float
    rollouts_per_second: float
    tokens_per_second: float


def counted(name: str, blocks: Sequence[Sequence[Graded]], seconds: float) -> Rate:
    """Return the rate at which blocks of one prefix each were labelled."""
    rollouts = [sample for block in blocks for sample, _ in block]
    tokens = sum(sample.num_tokens for sample in rollouts)
    return Rate(name, len(blocks) / seconds, len(rollouts) / seconds, tokens / seconds)
