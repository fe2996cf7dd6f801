"""The ways to cut each part of a hand in two; a part is a set of positions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Part = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Cut:
    """The ways to cut every part of one size into a smaller and a larger one of given sizes.

    `smaller` and `larger` (parts, ways) say which part, counted within its own size.
    """

    sizes: tuple[int, int]
    smaller: Integers
    larger: Integers


def parts(num_numbers: int, size: int) -> list[Part]:
    """Return the parts of a size, in the order in which they are counted."""
    return list(combinations(range(num_numbers), size))


@lru_cache(maxsize=16)
def cuts(num_numbers: int, size: int) -> tuple[Cut, ...]:
    """Return the cuts of all parts of a size, those into the most unequal sizes first."""
    return tuple(_cut(num_numbers, size, smaller) for smaller in range(1, size // 2 + 1))


def _cut(num_numbers: int, size: int, smaller: int) -> Cut:
    counted = {
        part: number
        for each in (smaller, size - smaller)
        for number, part in enumerate(parts(num_numbers, each))
    }
    halves = [
        [(counted[one], counted[other]) for one, other in _halves(part, smaller)]
        for part in parts(num_numbers, size)
    ]
    numbers = np.array(halves, dtype=np.int64)
    return Cut((smaller, size - smaller), numbers[..., 0], numbers[..., 1])


def _halves(part: Part, smaller: int) -> Iterator[tuple[Part, Part]]:
    """Yield each cut of a part once; the half with the first position precedes an equal half."""
    for one in combinations(part, smaller):
        if 2 * smaller < len(part) or part[0] in one:
            yield one, tuple(each for each in part if each not in one)
