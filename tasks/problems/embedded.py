"""The embedded problems: hands of countdown, with one target or with some drawn from a range."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random
from typing import Any

from pav.models.domains.countdown.domain import Countdown
from pav.models.domains.countdown.hands import Hand, hands
from pav.models.domains.countdown.solver import is_solvable
from pav.models.errors import InputError
from pav.models.hashing import stream_key
from pav.models.records import Problem
from pav.models.settings import ProblemSettings
from pav.models.splits import hash_split, place

Progress = Callable[[str, float, float], None]
COUNTDOWN = Countdown()
HIGHEST_TARGET = 10_000
# Targets that are tried for each one that is wanted.
_NUM_TRIED = 16


def check_targets(settings: ProblemSettings) -> None:
    """Raise InputError unless the range of targets is one, where there is any."""
    given = settings.targets
    is_range = len(given) == 2 and 1 <= given[0] <= given[1] <= HIGHEST_TARGET
    if given and not is_range:
        raise InputError(
            "problems.targets: expected the lowest and the highest target, from 1 to "
            f"{HIGHEST_TARGET}, such as [1, 100], got {list(given)}"
        )
    if given and settings.targets_per_hand > given[1] - given[0] + 1:
        raise InputError(
            f"problems.targets_per_hand: expected at most the {given[1] - given[0] + 1} targets of "
            f"problems.targets, got {settings.targets_per_hand}"
        )


def embedded_parameters(settings: ProblemSettings) -> dict[str, Any]:
    """Return what decides the embedded problems, for the unit that makes them."""
    counts = _counts(settings)
    parameters: dict[str, Any] = {
        "highest": settings.highest,
        # One count and one target stand as they always did, so that such units keep their names.
        "num_numbers": counts[0] if len(counts) == 1 else counts,
    }
    if not settings.targets:
        return parameters | {"target": settings.target}
    per_hand = settings.targets_per_hand
    return parameters | {"targets": list(settings.targets), "targets_per_hand": per_hand}


def embedded_problems(settings: ProblemSettings, *, progress: Progress) -> list[Problem]:
    """Return the solvable problems in the order of their hashes, up to each split's limit."""
    candidates = [
        hand
        for count in _counts(settings)
        for hand in hands(highest=settings.highest, num_numbers=count)
    ]
    room = limits(settings)
    chosen: list[Problem] = []
    for done, (key, hand) in enumerate(_in_order(settings, candidates)):
        progress("hands checked", done, len(candidates))
        split = hash_split(key)
        wanted = min(room[split], settings.targets_per_hand)
        problems = [_problem(hand, each, split) for each in _reached(settings, hand, wanted)]
        room[split] -= len(problems)
        chosen += problems
    if not chosen:
        raise InputError(_no_hand(settings))
    return chosen


def limits(settings: ProblemSettings) -> dict[str, int]:
    """Return how many problems each split may have."""
    return {
        "train": settings.max_train,
        "validation": settings.max_validation,
        "test": settings.max_test,
    }


def _counts(settings: ProblemSettings) -> list[int]:
    return sorted(set(settings.num_numbers))


def _in_order(settings: ProblemSettings, candidates: Iterable[Hand]) -> list[tuple[str, Hand]]:
    """The hands by the hash of the name that decides their split.

    Where a range gives the targets that name has none, so that a hand is in one split.
    """
    if settings.targets:
        named = [(f"{COUNTDOWN.name}:{_text(hand)}", hand) for hand in candidates]
    else:
        named = [(_problem(hand, settings.target).canonical_key, hand) for hand in candidates]
    return sorted(named, key=lambda each: place(each[0]))


def _reached(settings: ProblemSettings, hand: Hand, wanted: int) -> Iterator[int]:
    """Yield up to as many targets of a hand as are wanted, all of which it reaches."""
    tried = [settings.target]
    if settings.targets:
        low, high = settings.targets
        random = Random(stream_key("targets", low, high, _text(hand)))
        most = min(_NUM_TRIED * settings.targets_per_hand, high - low + 1)
        tried = random.sample(range(low, high + 1), k=most)
    return islice((each for each in tried if is_solvable(hand, each)), wanted)


def _problem(hand: Hand, target: int, split: str = "") -> Problem:
    return COUNTDOWN.problem(_text(hand), str(target), problem_id="", split=split)


def _text(hand: Hand) -> str:
    return " ".join(map(str, hand))


def _no_hand(settings: ProblemSettings) -> str:
    counts = " or ".join(map(str, _counts(settings)))
    low_high = " to ".join(map(str, settings.targets or [settings.target]))
    return (
        f"problems: no hand of {counts} numbers from 1 to {settings.highest} reaches {low_high}; "
        "choose another target"
    )
