"""The embedded problems of countdown: hands with one target, or with some drawn from a range."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

from pav.models.domains.countdown.domain import Countdown
from pav.models.domains.countdown.hands import Hand, hands
from pav.models.domains.countdown.solver import is_solvable
from pav.models.domains.kind import EmbeddedGroup
from pav.models.errors import InputError
from pav.models.hashing import stream_key
from pav.models.settings import ProblemSettings, RunSettings

HIGHEST_TARGET = 10_000
# Targets that are tried for each one that is wanted.
_NUM_TRIED = 16


class EmbeddedHands:
    """Every hand of some numbers, with the targets that it reaches; a hand is in one split."""

    def __init__(self, countdown: Countdown) -> None:
        self._countdown = countdown

    def parameters(self, settings: RunSettings) -> Mapping[str, Any]:
        """Return the sizes of hands and numbers, and the targets; InputError for a wrong range."""
        chosen = settings.problems
        _check_targets(chosen)
        counts = sorted(set(chosen.num_numbers))
        parameters: dict[str, Any] = {
            "highest": chosen.highest,
            # A single count or target is written as a bare number, so that old units keep their
            # names.
            "num_numbers": counts[0] if len(counts) == 1 else counts,
        }
        if not chosen.targets:
            return parameters | {"target": chosen.target}
        per_hand = chosen.targets_per_hand
        return parameters | {"targets": list(chosen.targets), "targets_per_hand": per_hand}

    def groups(self, parameters: Mapping[str, Any]) -> Sequence[EmbeddedGroup]:
        """Return a group for each hand; its targets are computed only as far as they are read."""
        counts, highest = parameters["num_numbers"], parameters["highest"]
        return [
            EmbeddedGroup(self._key(hand, parameters), _asked(hand, parameters))
            for count in ([counts] if isinstance(counts, int) else counts)
            for hand in hands(highest=highest, num_numbers=count)
        ]

    def _key(self, hand: Hand, parameters: Mapping[str, Any]) -> str:
        """Return the canonical key; where a range gives the targets, the part without a target."""
        if "targets" in parameters:
            return f"{self._countdown.name}:{_text(hand)}"
        answer = str(parameters["target"])
        return self._countdown.problem(_text(hand), answer, problem_id="", split="").canonical_key


def _check_targets(settings: ProblemSettings) -> None:
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


def _asked(hand: Hand, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a hand with each of its targets, all of which it reaches."""
    most = parameters.get("targets_per_hand", 1)
    if "targets" in parameters:
        low, high = parameters["targets"]
        random = Random(stream_key("targets", low, high, _text(hand)))
        tried = random.sample(range(low, high + 1), k=min(_NUM_TRIED * most, high - low + 1))
    else:
        tried = [parameters["target"]]
    for target in islice((each for each in tried if is_solvable(hand, each)), most):
        yield _text(hand), str(target)


def _text(hand: Hand) -> str:
    return " ".join(map(str, hand))
