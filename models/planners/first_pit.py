"""The paper's first pit: label a wrong solution up to the first step without a way back."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from pav.models.planners.blocks import Block, OpenSolution, Planner, Rolled, counts
from pav.models.planners.rules import FIXED, FRESH, SEARCH
from pav.models.records import Prefix


@dataclass(frozen=True, slots=True)
class PitBudget:
    """Blocks of one prefix: of the pilot, the walk, an estimate, and the estimate of the pit."""

    pilot: int
    walk: int
    estimate: int
    pit: int


def first_pit(solution: OpenSolution, *, high_value: float, budget: PitBudget) -> Planner:
    """Label one solution up to and including its first pit (App. D); return the pit, or None.

    The first prefix whose pilot value exceeds `high_value` is where the walk starts. The pit is
    the first prefix after it without a right rollout; where every open prefix has one, it is the
    wrong end itself, which needs no rollouts. Every prefix up to there is estimated again with
    blocks that had no part in finding it; nothing after it is rolled out. A correct solution has
    no pit: all of its prefixes are estimated.
    """
    prefixes = solution.prefixes
    first = max(budget.pilot, budget.walk)
    if solution.is_correct:
        yield _blocks(prefixes, range(first, first + budget.estimate), FIXED)
        return None
    high = yield from _first(prefixes, budget.pilot, lambda value: value > high_value)
    if high is None:
        return None
    step = yield from _first(prefixes[high + 1 :], budget.walk, lambda value: value == 0)
    pit = None if step is None else high + 1 + step
    before, found = prefixes[:pit], prefixes[pit : pit + 1] if pit is not None else ()
    yield [
        *_blocks(before, range(first, first + budget.estimate), FRESH),
        *_blocks(found, range(first, first + budget.pit), FRESH),
    ]
    return found[0] if found else None


def _first(
    prefixes: Sequence[Prefix], num_blocks: int, holds: Callable[[float], bool]
) -> Generator[Sequence[Block], Sequence[Rolled], int | None]:
    """Roll out one prefix after another; return the index of the first whose value `holds`.

    The value is that of `num_blocks` blocks. Blocks that cannot change the outcome any more are
    left out, which does not change the result.
    """
    for index, prefix in enumerate(prefixes):
        if (yield from _decide(prefix, num_blocks, holds)):
            return index
    return None


def _decide(
    prefix: Prefix, num_blocks: int, holds: Callable[[float], bool]
) -> Generator[Sequence[Block], Sequence[Rolled], bool]:
    """Return whether the value of a prefix over all its blocks `holds`, a monotone condition."""
    correct = rollouts = 0
    for number in range(num_blocks):
        [rolled] = yield [Block(prefix, number, SEARCH)]
        right, drawn = counts([rolled])
        correct, rollouts = correct + right, rollouts + drawn
        left = (num_blocks - 1 - number) * len(rolled)
        bounds = (correct, correct + left) if rollouts + left else ()
        outcomes = {holds(bound / (rollouts + left)) for bound in bounds}
        if len(outcomes) == 1:
            return outcomes.pop()
    return False


def _blocks(prefixes: Sequence[Prefix], numbers: range, rule: str) -> list[Block]:
    return [Block(prefix, number, rule) for prefix in prefixes for number in numbers]
