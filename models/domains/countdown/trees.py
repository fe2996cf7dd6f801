"""Formulas of a hand as trees, and the orders in which their lines can be written."""

from bisect import insort
from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random
from typing import TypeAlias

from pav.models.domains.countdown.joins import DIFFERENCE, INVERSE, LESS, PRODUCT, QUOTIENT, SUM
from pav.models.domains.countdown.moves import Move, Number, Path, State, divide, exact

# A tree is the position of a number in the hand, or an outcome with the two trees that it joins.
Tree: TypeAlias = "int | tuple[int, Tree, Tree]"


# `a op b = result`.
Line = tuple[Number, str, Number, Number]


class Writer:
    """Writes formulas of a hand as lines; below 0 is nothing unless `is_signed`."""

    def __init__(self, hand: State, *, is_signed: bool) -> None:
        self._hand = sorted(hand)
        self._numbers = hand
        self._is_signed = is_signed

    def drawn_path(self, tree: Tree, random: Random) -> Path:
        """Return a formula's moves in one of its orders, each as likely as any other."""
        return self._path(self._drawn(tree, random)[1])

    def every_path(self, tree: Tree) -> Iterator[Path]:
        """Yield a formula's moves in every order."""
        return map(self._path, self._orders(tree)[1])

    def _drawn(self, tree: Tree, random: Random) -> tuple[Number, list[Line]]:
        """A formula's value, and its lines: those of its halves in any order, then its own."""
        if isinstance(tree, int):
            return self._numbers[tree], []
        x, some = self._drawn(tree[1], random)
        y, others = self._drawn(tree[2], random)
        last = self._line(tree[0], x, y)
        if some and others:
            places = random.sample(range(len(some) + len(others)), len(some))
            return last[3], [*_merged(some, others, places), last]
        return last[3], [*some, *others, last]

    def _orders(self, tree: Tree) -> tuple[Number, list[list[Line]]]:
        """A formula's value, and all orders of its lines."""
        if isinstance(tree, int):
            return self._numbers[tree], [[]]
        x, before_x = self._orders(tree[1])
        y, before_y = self._orders(tree[2])
        last = self._line(tree[0], x, y)
        return last[3], [
            [*_merged(some, others, places), last]
            for some in before_x
            for others in before_y
            for places in combinations(range(len(some) + len(others)), len(some))
        ]

    def _line(self, outcome: int, x: Number, y: Number) -> Line:
        """The line of an outcome; sums and products name the larger number first."""
        if outcome == QUOTIENT:
            return x, "/", y, divide(x, y)
        if outcome == INVERSE:
            return y, "/", x, divide(y, x)
        if outcome == LESS or (outcome == DIFFERENCE and self._is_signed):
            a, b = (y, x) if outcome == LESS else (x, y)
            return a, "-", b, exact(a - b)
        low, high = (x, y) if x < y else (y, x)
        if outcome == SUM:
            return high, "+", low, exact(high + low)
        if outcome == PRODUCT:
            return high, "*", low, exact(high * low)
        return high, "-", low, exact(high - low)

    def _path(self, lines: list[Line]) -> Path:
        left = self._hand.copy()
        moves = []
        for a, op, b, result in lines:
            left.remove(a)
            left.remove(b)
            insort(left, result)
            moves.append(Move(a, op, b, result, tuple(left)))
        return tuple(moves)


def _merged(some: list[Line], others: list[Line], places: Sequence[int]) -> list[Line]:
    """Two lists as one, the first one's lines at the given places."""
    first, second = iter(some), iter(others)
    return [next(first if i in places else second) for i in range(len(some) + len(others))]
