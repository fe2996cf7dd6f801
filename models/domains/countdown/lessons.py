"""What the embedded policy learns countdown from: hands in other orders, and solutions."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice
from random import Random
from typing import Any

from pav.models.domains.countdown.domain import Countdown, shuffled
from pav.models.domains.countdown.draws import drawn_paths, search_together
from pav.models.domains.countdown.moves import Number, Path, State
from pav.models.domains.countdown.question import (
    numbers_of,
    parse_question,
    parse_target,
    target_of,
)
from pav.models.domains.countdown.solver import (
    MOST_LISTED,
    good_moves,
    is_searched,
    is_solvable,
    paths,
)
from pav.models.domains.countdown.text import format_steps
from pav.models.hashing import stream_key
from pav.models.records import Problem
from pav.models.settings import RunSettings

# Raised when demonstrations of more than four numbers change; policies that see none keep theirs.
LARGE_HANDS_REVISION = 1
# Exercises of a hand: other targets, and how many of those are tried.
_NUM_TARGETS = 4
_NUM_TRIED = 16


class CountdownLessons:
    """Exercises and demonstrations of hands."""

    def __init__(self, countdown: Countdown) -> None:
        self._countdown = countdown

    def parameters(self, settings: RunSettings) -> Mapping[str, Any]:
        """Return the revision of drawn demonstrations, where problems may need any."""
        from_file = bool(settings.problems.path or settings.sample.path)
        has_large_hands = from_file or max(settings.problems.num_numbers) > MOST_LISTED
        return {"large_hands": LARGE_HANDS_REVISION} if has_large_hands else {}

    def exercises(self, problem: Problem) -> Sequence[Problem]:
        """Return a solvable hand in several orders, and in one order each with other targets.

        A policy that sees every hand sorted and one target only learns its hands by heart; orders
        and targets make it learn to copy and to reckon, and what it then gets wrong is what it
        pretends to reach.
        """
        numbers, target = parse_question(problem.question), parse_target(problem.answer)
        if not is_solvable(tuple(sorted(numbers)), target):
            return []
        random = Random(stream_key("exercises", problem.canonical_key))
        others = _other_targets(numbers, target, random)
        asked = self._countdown.asked
        return [
            *self._countdown.rephrasings(problem),
            *(asked(shuffled(numbers, random), str(other), problem) for other in others),
        ]

    def demonstrations(
        self, problem: Problem, *, limit: int, num_drawn: int, seed: int
    ) -> Sequence[tuple[str, ...]]:
        """Return correct responses, as steps; the same for the same seed.

        Up to `limit` of them, or `num_drawn` where a hand has too many to list them.
        """
        numbers = tuple(sorted(numbers_of(problem.question)))
        most = limit if len(numbers) <= MOST_LISTED else min(limit, num_drawn)
        return solution_paths(numbers, target_of(problem.answer), limit=most, seed=seed)


def _other_targets(numbers: Sequence[int], target: Number, random: Random) -> list[int]:
    """Return a few other targets up to twice the target that a hand reaches, as drawn."""
    state = tuple(sorted(numbers))
    highest = max(2, int(2 * abs(Fraction(target))))
    drawn = random.sample(range(1, highest + 1), k=min(_NUM_TRIED, highest))
    if is_searched(state, max(highest, target)):
        # Most of the first few are reached.
        search_together(state, [target, *drawn[: _NUM_TARGETS + 1]])
    reached = (each for each in drawn if each != target and is_solvable(state, each))
    return list(islice(reached, _NUM_TARGETS))


def solution_paths(
    numbers: State, target: Number, *, limit: int, seed: int
) -> tuple[tuple[str, ...], ...]:
    """Return up to `limit` distinct solutions as text steps, in an order drawn by the seed.

    Sums and products name the larger number first, and subtractions stay at or above 0 where
    the target does. Hands of up to four numbers draw evenly from all their paths. Larger ones draw
    formulas evenly, then one of the orders of each formula's lines.
    """
    if not is_solvable(numbers, target):
        return ()
    if len(numbers) > MOST_LISTED:
        found = _drawn_paths(numbers, target, limit=limit, seed=seed)
        return tuple(map(format_steps, found))
    texts = map(format_steps, paths(numbers, target, non_negative=target >= 0))
    return tuple(sorted(texts, key=lambda steps: (stream_key(seed, *steps), steps))[:limit])


def _drawn_paths(numbers: State, target: Number, *, limit: int, seed: int) -> list[Path]:
    random = Random(stream_key("paths", seed, str(numbers), str(target)))
    if is_searched(numbers, target):
        return drawn_paths(numbers, target, limit=limit, random=random)
    # Too large for exact arrays: each move is drawn evenly from those that lead to the target.
    found: dict[Path, None] = {}
    for _ in range(4 * limit):
        left, path = numbers, []
        while len(left) > 1:
            move = random.choice(good_moves(left, target, non_negative=target >= 0))
            left = move.left
            path.append(move)
        found[tuple(path)] = None
        if len(found) == limit:
            break
    return list(found)
