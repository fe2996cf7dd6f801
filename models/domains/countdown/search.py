"""The fast exact solver: every formula of a hand that makes a target, without writing them out.

The last operation joins two parts, so the values of the smaller part and the target determine the
value of the larger part, which a table holds. Parts of up to four numbers are tabled. A larger part
of five numbers is searched in the same way, for each of its few possible values.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pav.models.domains.countdown.cuts import Cut, Integers, cuts
from pav.models.domains.countdown.joins import (
    PRODUCT,
    QUOTIENT,
    Floats,
    is_partner,
    partner_outcomes,
    partners,
)
from pav.models.domains.countdown.moves import Number, State
from pav.models.domains.countdown.tables import EXACT, Values, joined, leaves

MOST_TABLED = 4
NO_OUTCOME = -1


class Found(NamedTuple):
    """Ways to make targets, as arrays: formula `small` joined with any of `order[first:end]`.

    `small` counts the formulas of the parts of the size `smaller`, `order` is that of the size
    `larger`. Where `last` is an outcome, it joins all that with the number at position `alone`.
    `asked` says which target a way makes.
    """

    smaller: Integers
    larger: Integers
    outcome: Integers
    small: Integers
    first: Integers
    end: Integers
    asked: Integers
    alone: Integers
    last: Integers


class Tables:
    """The values of all parts of a hand; those of four numbers are made when they are needed."""

    def __init__(self, hand: State, *, is_signed: bool) -> None:
        self.hand = hand
        self.is_signed = is_signed
        self._values = {1: leaves(hand)}
        self._made: dict[Number, tuple[list[Found], Iterator[Found]]] = {}

    def values(self, size: int) -> Values:
        """Return the values of the parts of a size, at most `MOST_TABLED`."""
        if size not in self._values:
            below = {each: self.values(each) for each in range(1, size)}
            cut = cuts(len(self.hand), size)
            self._values[size] = joined(below, cut, is_signed=self.is_signed)
        return self._values[size]

    def making(self, target: Number) -> Iterator[Found]:
        """Yield the ways to make a target of the whole hand, those quickly found first.

        Ways are kept, as most callers first ask whether a target is reached and then how.
        """
        found, rest = self._made.setdefault(target, ([], self._making(*_arrays([target]))))
        yield from found
        for ways in rest:
            found.append(ways)
            yield ways

    def search(self, targets: Sequence[Number]) -> None:
        """Search several targets at once, in hardly more time than one, and keep the ways."""
        ways = Found(*map(np.concatenate, zip(*self._making(*_arrays(targets)), strict=True)))
        order = np.argsort(ways.asked, kind="stable")
        ways = Found(*(field[order] for field in ways))
        bounds = np.searchsorted(ways.asked, np.arange(len(targets) + 1)).tolist()
        for target, (start, end) in zip(targets, pairwise(bounds), strict=True):
            self._made[target] = [Found(*(field[start:end] for field in ways))], iter(())

    def _making(self, t: Floats, u: Floats) -> Iterator[Found]:
        """Yield the ways to make each t / u, (N), of the whole hand."""
        size = len(self.hand)
        yield from self._search(size, np.zeros(t.size, dtype=np.int64), t, u)
        if size <= MOST_TABLED + 1:
            return
        x = self.values(1)
        pairs = partners(x.p[:, 0], x.q[:, 0], t[:, None], u[:, None])
        p, q = map(np.stack, zip(*pairs, strict=True))
        kind, asked, alone = np.nonzero(self._is_possible(p, q))
        kept = is_partner(kind, x.keys[alone, 0], t[asked], u[asked])
        kind, asked, alone = kind[kept], asked[kept], alone[kept]
        # The parts that leave out one number, by that number.
        rests = cuts(size, size)[0].larger[0][alone]
        last = partner_outcomes(is_signed=self.is_signed)[kind]
        rest_p, rest_q = p[kind, asked, alone], q[kind, asked, alone]
        for found in self._search(size - 1, rests, rest_p, rest_q):
            which = found.asked
            yield found._replace(asked=asked[which], alone=alone[which], last=last[which])

    def _is_possible(self, p: Floats, q: Floats) -> NDArray[np.bool_]:
        """Return which p / q are allowed values: none below 0 unless the tables are signed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            keys = p / q
        return np.isfinite(keys) & ((keys >= 0) | self.is_signed)

    def _search(self, size: int, parts: Integers, t: Floats, u: Floats) -> Iterator[Found]:
        """Yield the ways to make t / u of each of the parts of a size, (N), by the cut."""
        for cut in reversed(cuts(len(self.hand), size)):
            if cut.sizes[1] <= MOST_TABLED:
                yield self._looked_up(cut, parts, t, u)
                if not t.all():
                    yield self._made_of_zero(cut, parts, t)

    def _looked_up(self, cut: Cut, parts: Integers, t: Floats, u: Floats) -> Found:
        """The ways that say what the larger piece must be."""
        small, large = map(self.values, cut.sizes)
        pieces = cut.smaller[parts]
        asked_for = partners(small.p[pieces], small.q[pieces], t[:, None, None], u[:, None, None])
        keys = np.empty((len(asked_for), *small.p[pieces].shape))
        with np.errstate(divide="ignore", invalid="ignore"):
            for row, (p, q) in zip(keys, asked_for, strict=True):
                np.divide(p, q, out=row)
        # -0 becomes 0, as in the tables.
        keys += 0.0
        index, first, end = large.find(cut.larger[parts][..., None], keys)
        kind, asked, way, formula = np.unravel_index(index, keys.shape)
        piece = pieces[asked, way]
        kept = is_partner(kind, small.keys[piece, formula], t[asked], u[asked])
        outcome = partner_outcomes(is_signed=self.is_signed)[kind]
        rows = (outcome, piece * small.p.shape[1] + formula, first, end, asked)
        return _found(cut, *(row[kept] for row in rows))

    def _made_of_zero(self, cut: Cut, parts: Integers, t: Floats) -> Found:
        """The ways in which the smaller piece is 0, and so is its product with anything."""
        small, large = map(self.values, cut.sizes)
        pieces = cut.smaller[parts]
        zeros = np.argwhere((small.keys[pieces] == 0) & (t == 0)[:, None, None])
        rows: list[tuple[int, int, int, int, int]] = []
        for asked, way, formula in zeros.tolist():
            below, zero, above = large.signs(int(cut.larger[parts[asked], way]))
            number = int(pieces[asked, way]) * small.p.shape[1] + formula
            rows += [(PRODUCT, number, *span, asked) for span in (below, zero, above)]
            rows += [(QUOTIENT, number, *span, asked) for span in (below, above)]
        return _found(cut, *np.array(rows, dtype=np.int64).reshape(-1, 5).T)


def _arrays(numbers: Sequence[Number]) -> tuple[Floats, Floats]:
    """Numerators and denominators."""
    p = np.array([each.numerator for each in numbers], dtype=np.float64)
    return p, np.array([each.denominator for each in numbers], dtype=np.float64)


def _found(
    cut: Cut, outcome: Integers, small: Integers, first: Integers, end: Integers, asked: Integers
) -> Found:
    smaller, larger = (np.full_like(asked, size) for size in cut.sizes)
    none = np.full_like(asked, NO_OUTCOME)
    return Found(smaller, larger, outcome, small, first, end, asked, none, none)


def is_exact(hand: State, target: Number) -> bool:
    """Return whether float64 holds every number that a search of the hand meets."""
    sizes = sorted((_size(each) for each in hand), reverse=True)
    pieces = _size(target) * prod(sizes[: len(hand) // 2])
    return max(prod(sizes[:MOST_TABLED]), pieces) <= EXACT


def _size(number: Number) -> int:
    return abs(number.numerator) + number.denominator


# Callers ask for all targets of a hand in a row.
@lru_cache(maxsize=2)
def tables(hand: State, *, is_signed: bool) -> Tables:
    """Return the tables of a hand, the last two of which are kept."""
    return Tables(hand, is_signed=is_signed)
