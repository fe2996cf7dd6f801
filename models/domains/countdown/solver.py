"""The exact solver of countdown: legal moves, solvability and solution paths."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from pav.models.domains.countdown.draws import reaches
from pav.models.domains.countdown.moves import Move, Number, Path, State, apply, divide, exact
from pav.models.domains.countdown.search import is_exact

# Hands of up to so many numbers have few enough paths to be listed.
MOST_LISTED = 4


def _outcomes(low: Number, high: Number) -> Iterator[tuple[Number, str, Number]]:
    """The distinct ways to combine two numbers; sums and products with the larger one first."""
    yield high, "+", low
    yield high, "-", low
    yield high, "*", low
    if low != 0:
        yield high, "/", low
    if low != high:
        yield low, "-", high
        if high != 0:
            yield low, "/", high


def legal_moves(numbers: State) -> tuple[Move, ...]:
    """Return every distinct move from a state; `a + b` and `b + a` count as one."""
    moves: dict[Move, None] = {}
    for i, j in combinations(range(len(numbers)), 2):
        rest = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        for a, op, b in _outcomes(numbers[i], numbers[j]):
            result = apply(a, op, b)
            moves[Move(a, op, b, result, tuple(sorted((*rest, result))))] = None
    return tuple(moves)


@lru_cache(maxsize=16)
def _splits(count: int) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Every split of positions in two, once each, the first part no larger than the second."""
    everything = range(count)
    return tuple(
        (part, tuple(i for i in everything if i not in part))
        for size in range(1, count // 2 + 1)
        for part in combinations(everything, size)
        if 2 * size < count or 0 in part
    )


def _parts(numbers: State) -> Iterator[tuple[State, State]]:
    for part, rest in _splits(len(numbers)):
        yield tuple(numbers[i] for i in part), tuple(numbers[i] for i in rest)


def _all_values(numbers: State) -> frozenset[Number]:
    if len(numbers) == 1:
        return frozenset(numbers)
    return frozenset(
        apply(a, op, b)
        for part, rest in _parts(numbers)
        for x in _values(part)
        for y in _values(rest)
        for a, op, b in _outcomes(x, y)
    )


_few_values = lru_cache(maxsize=1 << 11)(_all_values)
# The set of a part of four numbers has thousands of values, so the cache keeps few sets.
_many_values = lru_cache(maxsize=1 << 5)(_all_values)


def _values(numbers: State) -> frozenset[Number]:
    """Every value that uses each number once."""
    return _few_values(numbers) if len(numbers) <= 3 else _many_values(numbers)


def _partners(value: Number, target: Number) -> Iterator[Number]:
    """The numbers that one operation turns, with `value`, into the target."""
    yield exact(target - value)
    yield exact(value - target)
    yield exact(target + value)
    if value != 0:
        yield divide(target, value)
        yield exact(target * value)
        if target != 0:
            yield divide(value, target)


@lru_cache(maxsize=1 << 18)
def is_solvable(numbers: State, target: Number) -> bool:
    """Return whether the target can be reached from a state, each number used once."""
    if is_searched(numbers, target):
        return reaches(numbers, target)
    return is_listed(numbers, target)


def is_searched(numbers: State, target: Number) -> bool:
    """Return whether the solver of many numbers does a state: it is fast from five numbers on."""
    return len(numbers) > MOST_LISTED and is_exact(numbers, target)


@lru_cache(maxsize=1 << 16)
def is_listed(numbers: State, target: Number) -> bool:
    """Return whether the target can be reached, by sets of exact values.

    The last operation joins two parts, so one part's values say what the other must reach.
    """
    if len(numbers) <= 2:
        return target in _few_values(numbers)
    return any(
        _reaches(rest, value, target) for part, rest in _parts(numbers) for value in _values(part)
    )


def _reaches(numbers: State, value: Number, target: Number) -> bool:
    """Whether a value of the numbers, joined with `value`, is the target."""
    if len(numbers) <= MOST_LISTED:
        return not _values(numbers).isdisjoint(_partners(value, target))
    return any(is_listed(numbers, partner) for partner in _partners(value, target))


def paths(numbers: State, target: Number, *, non_negative: bool = False) -> Iterator[Path]:
    """Yield every distinct sequence of moves that ends at the target.

    `non_negative` leaves out subtractions below 0: no target >= 0 of numbers >= 0 needs them,
    since by induction each part of a formula can be turned into its absolute value.
    """
    if len(numbers) == 1:
        if numbers[0] == target:
            yield ()
        return
    for move in good_moves(numbers, target, non_negative=non_negative):
        for path in paths(move.left, target, non_negative=non_negative):
            yield (move, *path)


def good_moves(numbers: State, target: Number, *, non_negative: bool = False) -> tuple[Move, ...]:
    """Return the legal moves after which the target can still be reached."""
    return tuple(
        move
        for move in legal_moves(numbers)
        if not (non_negative and move.result < 0) and is_solvable(move.left, target)
    )
