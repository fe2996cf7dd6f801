"""The embedded problems: hands of countdown, with one target or with some drawn from a range."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random

from pav.models.domains.countdown.domain import Countdown
from pav.models.domains.countdown.hands import Hand, hands
from pav.models.domains.countdown.solver import is_solvable
from pav.models.errors import InputError
from pav.models.hashing import stream_key
from pav.models.records import Problem
from pav.models.splits import hash_split, place
from pav.tasks.problems.plan import HandsWork

Progress = Callable[[str, float, float], None]
COUNTDOWN = Countdown()
# Targets that are tried for each one that is wanted.
_NUM_TRIED = 16


def embedded_problems(work: HandsWork, *, progress: Progress) -> list[Problem]:
    """Return the solvable problems in the order of their hashes, up to each split's limit."""
    candidates = [
        hand for count in work.counts for hand in hands(highest=work.highest, num_numbers=count)
    ]
    room = work.limits
    chosen: list[Problem] = []
    for done, (key, hand) in enumerate(_in_order(work, candidates)):
        progress("hands checked", done, len(candidates))
        split = hash_split(key)
        wanted = min(room[split], work.most_targets)
        problems = [_problem(hand, each, split) for each in _reached(work, hand, wanted)]
        room[split] -= len(problems)
        chosen += problems
    if not chosen:
        raise InputError(_no_hand(work))
    return chosen


def _in_order(work: HandsWork, candidates: Iterable[Hand]) -> list[tuple[str, Hand]]:
    """The hands by the hash of the name that decides their split.

    Where a range gives the targets that name has none, so that a hand is in one split.
    """
    target = work.target
    if target is None:
        named = [(f"{COUNTDOWN.name}:{_text(hand)}", hand) for hand in candidates]
    else:
        named = [(_problem(hand, target).canonical_key, hand) for hand in candidates]
    return sorted(named, key=lambda each: place(each[0]))


def _reached(work: HandsWork, hand: Hand, wanted: int) -> Iterator[int]:
    """Yield up to as many targets of a hand as are wanted, all of which it reaches."""
    tried = [] if work.target is None else [work.target]
    if work.targets:
        low, high = work.targets
        random = Random(stream_key("targets", low, high, _text(hand)))
        most = min(_NUM_TRIED * work.most_targets, high - low + 1)
        tried = random.sample(range(low, high + 1), k=most)
    return islice((each for each in tried if is_solvable(hand, each)), wanted)


def _problem(hand: Hand, target: int, split: str = "") -> Problem:
    return COUNTDOWN.problem(_text(hand), str(target), problem_id="", split=split)


def _text(hand: Hand) -> str:
    return " ".join(map(str, hand))


def _no_hand(work: HandsWork) -> str:
    counts = " or ".join(map(str, work.counts))
    low_high = " to ".join(map(str, work.targets or [work.target]))
    return (
        f"problems: no hand of {counts} numbers from 1 to {work.highest} reaches {low_high}; "
        "choose another target"
    )
