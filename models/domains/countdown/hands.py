"""The embedded countdown hands: all of them where they are few, else a fixed draw by hash."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, count, islice
from math import comb

from pav.models.hashing import stream_key

MOST_HANDS = 5_000

Hand = tuple[int, ...]


def hands(*, highest: int, num_numbers: int) -> list[Hand]:
    """Return the hands of numbers from 1 to `highest`, each ascending.

    If there are more than 5,000 hands (five numbers of 1..13 give 6,188), a hash draws 5,000 of
    them. The draw is the same for the same arguments, and the time stays bounded.
    """
    if comb(highest + num_numbers - 1, num_numbers) <= MOST_HANDS:
        return list(combinations_with_replacement(range(1, highest + 1), num_numbers))
    drawn = dict.fromkeys(islice(_draws(highest, num_numbers), 4 * MOST_HANDS))
    return sorted(list(drawn)[:MOST_HANDS])


def _draws(highest: int, num_numbers: int) -> Iterator[Hand]:
    for draw in count():
        keys = (stream_key("hand", highest, draw, i) for i in range(num_numbers))
        yield tuple(sorted(1 + key % highest for key in keys))
