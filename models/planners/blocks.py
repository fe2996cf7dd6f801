"""Blocks of rollouts: what planners ask for, and the one algorithm that draws them.

A planner is a generator for one solution (or one problem). It yields the blocks it wants next and
receives their rollouts. A block is named by its prefix and number, so planners of neighbouring
solutions share blocks: some may be drawn already.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pav.models.planners.rollouts import Graded, rolled_out
from pav.models.planners.rules import FIXED, rank
from pav.models.records import Algorithm, Extend, Prefix, Verdict

Rolled = Sequence[Graded]


@dataclass(frozen=True, slots=True)
class Block:
    """Block `number` of a prefix's rollouts, and the rule by which it is wanted."""

    prefix: Prefix
    number: int
    rule: str = FIXED

    @property
    def key(self) -> tuple[Prefix, int]:
        """The name of a block's rollouts, whoever wants them."""
        return self.prefix, self.number


Planner = Generator[Sequence[Block], Sequence[Rolled], Any]


@dataclass(frozen=True, slots=True)
class OpenSolution:
    """A solution by its prefixes that can be rolled out, the bare problem first.

    Where it is finished, its end is not among them: it is terminal, and `is_correct` its value.
    """

    prefixes: tuple[Prefix, ...]
    is_correct: bool


@dataclass
class ProblemLabels:
    """All blocks drawn for one problem, by the rule that counts, and what each planner returned."""

    drawn: dict[tuple[Prefix, int], Rolled] = field(default_factory=dict)
    rules: dict[tuple[Prefix, int], str] = field(default_factory=dict)
    returned: list[Any] = field(default_factory=list)

    def blocks(self) -> Iterator[tuple[Block, Rolled]]:
        """Yield every block with its rollouts, in the order they were drawn."""
        for (prefix, number), rolled in self.drawn.items():
            yield Block(prefix, number, self.rules[prefix, number]), rolled


def label_problem(
    planners: Sequence[Planner], *, policy: str, block_size: int, seed: int, max_tokens: int
) -> Algorithm[ProblemLabels]:
    """Serve the planners of one problem together until all have returned.

    Each turn draws what any of them waits for by one request.
    """
    labels = ProblemLabels(returned=[None] * len(planners))
    waiting = _resumed(labels, [(index, planner, None) for index, planner in enumerate(planners)])
    while waiting:
        if keys := _missing(labels, waiting):
            prefixes, numbers = zip(*keys, strict=True)
            request = Extend(
                policy, prefixes, block_size, "end", max_tokens, "label", seed, numbers
            )
            rolled = yield from rolled_out(request)
            labels.drawn.update(zip(keys, rolled, strict=True))
        waiting = _resumed(
            labels,
            [
                (index, planner, [labels.drawn[block.key] for block in blocks])
                for index, planner, blocks in waiting
            ],
        )
    return labels


def _resumed(
    labels: ProblemLabels, replies: Iterable[tuple[int, Planner, list[Rolled] | None]]
) -> list[tuple[int, Planner, Sequence[Block]]]:
    """Hand each planner its rollouts; return those that want more, with the blocks they want."""
    waiting = []
    for index, planner, reply in replies:
        try:
            # A generator that has not begun takes None, which its type cannot say.
            waiting.append((index, planner, planner.send(reply)))  # type: ignore[arg-type]
        except StopIteration as stop:
            labels.returned[index] = stop.value
    return waiting


def _missing(
    labels: ProblemLabels, waiting: Iterable[tuple[int, Planner, Sequence[Block]]]
) -> list[tuple[Prefix, int]]:
    """Note every wanted block's rule; return prefix and number of those that are not drawn yet."""
    missing: dict[tuple[Prefix, int], None] = {}
    for block in (block for _, _, blocks in waiting for block in blocks):
        known = labels.rules.setdefault(block.key, block.rule)
        labels.rules[block.key] = min(known, block.rule, key=rank)
        if block.key not in labels.drawn:
            missing[block.key] = None
    return list(missing)


def counts(rolled: Iterable[Rolled]) -> tuple[int, int]:
    """Return (num_correct, num_rollouts) of some blocks; failed rollouts are none."""
    verdicts = [grading.verdict for block in rolled for _, grading in block]
    return verdicts.count(Verdict.CORRECT), len(verdicts) - verdicts.count(Verdict.FAILED)
