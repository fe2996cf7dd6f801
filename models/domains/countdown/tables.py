"""Every value of every part of a hand, as arrays in which values are looked up.

A value is p / q with whole p and q. By induction |p| + q of a formula is at most the product of
|p| + q of its numbers, for sums, differences, products and quotients alike. Up to 2**53 float64
holds them exactly, and as its division rounds correctly, equal values have equal float quotients.
Shape letters: R parts of one size, E formulas of a part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pav.models.domains.countdown.cuts import Cut, Integers
from pav.models.domains.countdown.joins import Floats, outcomes
from pav.models.domains.countdown.moves import Number

EXACT = 1 << 53
# Slots for each value, at least.
_SLOTS = 8
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Groups(NamedTuple):
    """The different values of all parts, by part and then by size: G of them.

    Value g, `keys[g]` of part `rows[g]`, is that of the formulas `order[firsts[g]:ends[g]]`.
    `slots` has the number of a value at the hash of its row and key, -1 where there is none;
    `is_shared` tells where others have the same hash.
    """

    rows: Integers
    keys: Floats
    firsts: Integers
    ends: Integers
    slots: NDArray[np.int32]
    is_shared: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Values:
    """All values of the parts of one size, (R, E); NaN where a formula divides by 0."""

    p: Floats
    q: Floats

    @cached_property
    def keys(self) -> Floats:
        """The float quotients, (R, E): infinite where there is no value, and never -0."""
        keys = self.p / self.q + 0.0
        return np.where(np.isnan(keys), np.inf, keys)

    @cached_property
    def order(self) -> Integers:
        """The formulas, counted over all parts, by part and then by value; (R * E)."""
        num_parts, width = self.keys.shape
        order = np.argsort(self.keys, axis=1)
        order += np.arange(num_parts)[:, None] * width
        return order.ravel()

    @cached_property
    def _groups(self) -> Groups:
        width = self.keys.shape[1]
        keys = self.keys.ravel()[self.order]
        is_first = np.append(True, keys[1:] != keys[:-1])
        is_first[::width] = True
        starts = np.flatnonzero(is_first)
        ends = np.append(starts[1:], keys.size)
        is_value = np.isfinite(keys[starts])
        firsts, ends = starts[is_value], ends[is_value]
        rows, keys = firsts // width, keys[firsts]
        numbers = np.arange(keys.size)
        slots = np.full(1 << (_SLOTS * keys.size).bit_length(), -1, dtype=np.int32)
        hashes = _hashes(rows, keys, slots.size)
        slots[hashes] = numbers
        is_shared = np.zeros(slots.size, dtype=np.bool_)
        is_shared[hashes[slots[hashes] != numbers]] = True
        return Groups(rows, keys, firsts, ends, slots, is_shared)

    @cached_property
    def _placed(self) -> NDArray[np.complex128]:
        # The last key is NaN, which equals nothing: it stands for keys greater than all.
        return np.append(_placed(self._groups.rows, self._groups.keys), np.nan)

    def find(self, rows: Integers, keys: Floats) -> tuple[Integers, Integers, Integers]:
        """Return which (part, value) pairs exist, and from where to where each stands in `order`.

        Most pairs do not exist, and their hash has an empty slot.
        """
        groups = self._groups
        hashes = _hashes(rows, keys, groups.slots.size).ravel()
        group = groups.slots[hashes]
        index = np.flatnonzero(group >= 0)
        row, key = np.broadcast_to(rows, keys.shape).ravel()[index], keys.ravel()[index]
        group = group[index].astype(np.int64)
        is_same = (groups.keys[group] == key) & (groups.rows[group] == row)
        # A pair whose slot may belong to another value is found by a search.
        missed = np.flatnonzero(~is_same & groups.is_shared[hashes[index]])
        if missed.size:
            wanted = _placed(row[missed], key[missed])
            group[missed] = np.searchsorted(self._placed[:-1], wanted)
            is_same[missed] = self._placed[group[missed]] == wanted
        found = group[is_same]
        return index[is_same], groups.firsts[found], groups.ends[found]

    def signs(self, row: int) -> list[tuple[int, int]]:
        """Return from where to where a part's values below, at and above 0 stand in `order`."""
        width = self.keys.shape[1]
        start = row * width
        keys = self.keys.ravel()[self.order[start : start + width]]
        ends = [*np.searchsorted(keys, [0.0, np.inf]), np.searchsorted(keys, 0.0, side="right")]
        zero, end, above = (start + int(each) for each in ends)
        return [(start, zero), (zero, above), (above, end)]


def _placed(rows: Integers, keys: Floats) -> NDArray[np.complex128]:
    """Part + value i: numpy orders complex numbers so."""
    placed = np.empty(keys.shape, dtype=np.complex128)
    placed.real, placed.imag = rows, keys
    return placed


def _hashes(rows: Integers, keys: Floats, size: int) -> Integers:
    """A hash of each (part, value), below a size that is a power of 2."""
    mixed = (keys.view(np.uint64) + rows.astype(np.uint64)) * _MIX
    return (mixed >> np.uint64(65 - size.bit_length())).view(np.int64)


def leaves(numbers: Sequence[Number]) -> Values:
    """Return the numbers themselves, (R, 1)."""
    pairs = np.array([(each.numerator, each.denominator) for each in numbers], dtype=np.float64)
    return Values(pairs[:, :1], pairs[:, 1:])


def joined(below: Mapping[int, Values], cuts: Sequence[Cut], *, is_signed: bool) -> Values:
    """Return the values of all parts of a size from those of the pieces that each is cut into.

    A part's formulas are ordered by cut, outcome, way to cut, smaller and larger piece.
    """
    ps, qs = [], []
    for cut in cuts:
        small, large = (below[each] for each in cut.sizes)
        p, q = outcomes(
            small.p[cut.smaller][..., None], small.q[cut.smaller][..., None],
            large.p[cut.larger][..., None, :], large.q[cut.larger][..., None, :],
            is_signed=is_signed,
        )  # fmt: skip
        ps.append(p.reshape(p.shape[0], -1))
        qs.append(q.reshape(q.shape[0], -1))
    return Values(np.concatenate(ps, axis=1), np.concatenate(qs, axis=1))
