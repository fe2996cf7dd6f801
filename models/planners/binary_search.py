"""OmegaPRM's search for the first error: halve the steps between a living and a dead prefix."""

from collections.abc import Generator, Sequence

from pav.models.planners.blocks import Block, OpenSolution, Planner, Rolled, counts
from pav.models.planners.rules import FIXED, FRESH
from pav.models.records import Prefix

Search = Generator[Sequence[Block], Sequence[Rolled], bool]


def binary_search(solution: OpenSolution, *, num_blocks: int, fresh_blocks: int) -> Planner:
    """Find the first error of one solution in O(log steps) prefixes; return its prefix, or None.

    A prefix is alive where one of its rollouts is right. The search supposes that a dead prefix
    stays dead (OmegaPRM, arXiv 2406.06592, section 3.2); then it finds what trying every prefix
    finds. The dead prefix at which the search ends was chosen for its zero, so fresh blocks
    estimate it again for readers of that one prefix. None where the bare problem is dead already,
    where only the last step is wrong, and for a correct solution, of which the bare problem alone
    is rolled out.
    """
    prefixes = solution.prefixes
    alive = yield from is_alive(prefixes[0], num_blocks)
    if solution.is_correct or not alive:
        return None
    low, high = 0, len(prefixes)
    while high - low > 1:
        middle = (low + high) // 2
        if (yield from is_alive(prefixes[middle], num_blocks)):
            low = middle
        else:
            high = middle
    pit = prefixes[high] if high < len(prefixes) else None
    if pit is not None:
        yield fresh(pit, num_blocks, fresh_blocks)
    return pit


def is_alive(prefix: Prefix, num_blocks: int) -> Search:
    """Roll out a prefix; return whether any rollout is right.

    All blocks are wanted at once, before any outcome of the prefix is known: over all visited
    prefixes their counts are those of a fixed n. Over the living prefixes alone the counts are
    biased.
    """
    rolled = yield [Block(prefix, number, FIXED) for number in range(num_blocks)]
    return counts(rolled)[0] > 0


def fresh(pit: Prefix, num_blocks: int, fresh_blocks: int) -> list[Block]:
    """Return the blocks that estimate a pit again, none of them among those that found it."""
    return [Block(pit, num_blocks + number, FRESH) for number in range(fresh_blocks)]
