"""The same blocks for every prefix, and blocks that were listed beforehand."""

from collections.abc import Iterable, Sequence

from pav.models.planners.blocks import Block, Planner
from pav.models.records import Prefix


def exhaustive(prefixes: Iterable[Prefix], numbers: Sequence[int]) -> Planner:
    """Roll out every prefix that is not finished, all blocks at once.

    A finished prefix is terminal: its value is its verdict.
    """
    still_open = [prefix for prefix in prefixes if not prefix.is_finished]
    yield from listed([Block(prefix, number) for number in numbers for prefix in still_open])


def listed(blocks: Sequence[Block]) -> Planner:
    """Draw exactly the listed blocks, all at once."""
    if blocks:
        yield blocks
