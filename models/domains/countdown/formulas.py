"""The formulas that make a target, counted, and each by its number as a tree."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from pav.models.domains.countdown.cuts import cuts
from pav.models.domains.countdown.joins import num_outcomes
from pav.models.domains.countdown.search import MOST_TABLED, NO_OUTCOME, Found, Tables
from pav.models.domains.countdown.trees import Tree

# Number of formulas in one lookup; most calls want few of many.
_AT_ONCE = 8


class Way(NamedTuple):
    """One of the ways that a `Found` holds."""

    smaller: int
    larger: int
    outcome: int
    small: int
    first: int
    end: int
    asked: int
    alone: int
    last: int


class Formulas:
    """The formulas of a hand that make a target: each of the `total` has a number from 0 on.

    Equal numbers of a hand are told apart, so formulas may read the same.
    """

    def __init__(self, of: Tables, ways: list[Found]) -> None:
        self._tables = of
        self._ways = Found(*map(np.concatenate, zip(*ways, strict=True)))
        self._ends = np.cumsum(self._ways.end - self._ways.first)
        self.total = int(self._ends[-1]) if self._ends.size else 0
        outcomes = num_outcomes(is_signed=of.is_signed)
        sizes = range(2, min(MOST_TABLED, len(of.hand) - 1) + 1)
        self._places = {each: _places(len(of.hand), each, outcomes) for each in sizes}
        self._widths = {1: 1} | {each: len(self._places[each]) for each in sizes}

    def trees(self, numbers: Sequence[int]) -> Iterator[Tree]:
        """Yield formulas by their numbers."""
        for start in range(0, len(numbers), _AT_ONCE):
            yield from self._some_trees(numbers[start : start + _AT_ONCE])

    def _some_trees(self, numbers: Sequence[int]) -> Iterator[Tree]:
        chosen = np.searchsorted(self._ends, numbers, side="right")
        from_end = (self._ends[chosen] - numbers).tolist()
        ways = zip(*(field[chosen].tolist() for field in self._ways), strict=True)
        for back, way in zip(from_end, ways, strict=True):
            yield self._tree(Way(*way), back)

    def _tree(self, way: "Way", back: int) -> Tree:
        large = int(self._tables.values(way.larger).order[way.end - back])
        one, other = self._formula(way.smaller, way.small), self._formula(way.larger, large)
        tree: Tree = (way.outcome, one, other)
        return tree if way.last == NO_OUTCOME else (way.last, way.alone, tree)

    def _formula(self, size: int, number: int) -> Tree:
        """A formula of a part by its number among those of all parts of the size."""
        if size == 1:
            return number
        part, place = divmod(number, self._widths[size])
        outcome, one, other = self._places[size][place]
        return (
            outcome,
            self._formula(one.size, one.parts[part] * self._widths[one.size] + one.formula),
            self._formula(other.size, other.parts[part] * self._widths[other.size] + other.formula),
        )


class Half(NamedTuple):
    """A half of a formula: its size, its part for each part of the whole, and its formula."""

    size: int
    parts: list[int]
    formula: int


Place = tuple[int, Half, Half]


@lru_cache(maxsize=16)
def _places(num_numbers: int, size: int, outcomes: int) -> list[Place]:
    """What the formulas of a part of a size join: outcome and halves, in their order."""
    places = []
    for cut in cuts(num_numbers, size):
        widths = [_width(num_numbers, each, outcomes) for each in cut.sizes]
        for outcome, way in product(range(outcomes), range(cut.smaller.shape[1])):
            parts = cut.smaller[:, way].tolist(), cut.larger[:, way].tolist()
            for small, large in product(*map(range, widths)):
                one = Half(cut.sizes[0], parts[0], small)
                places.append((outcome, one, Half(cut.sizes[1], parts[1], large)))
    return places


def _width(num_numbers: int, size: int, outcomes: int) -> int:
    return len(_places(num_numbers, size, outcomes)) if size > 1 else 1
