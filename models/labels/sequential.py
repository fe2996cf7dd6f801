"""The rule that stops a prefix's rollouts by its own counts, and its name in `stopping_rule`."""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pav.models.errors import InputError
from pav.models.labels.confidence import Bounds, sequence_interval
from pav.models.labels.stopping_plans import StoppingPlan

_NUMBER = r"[0-9.e+-]+"
# What `SequentialRule.name` gives, as a regular expression of Python and of SQL.
NAME_PATTERN = (
    rf"sequential block=(\d+) width=({_NUMBER}) threshold=({_NUMBER}) "
    rf"confidence=({_NUMBER}) most=(\d+)( until=right)?"
)
_EXAMPLE = "sequential block=8 width=0.3 threshold=0.5 confidence=0.95 most=64"


@dataclass(frozen=True)
class SequentialRule:
    """Draw blocks until the confidence sequence of a prefix's own counts says enough.

    Attributes:
        block: rollouts in a block.
        width: stop where the interval is at most this wide; 0 = not asked.
        threshold: stop where the interval lies wholly on one side of it; 0 = not asked.
        confidence: of the sequence.
        most: rollouts at which to stop in any case, rounded up to whole blocks.
        until_right: stop at the first block with a right rollout: the value is above 0 for sure.
    """

    block: int
    width: float
    threshold: float
    confidence: float
    most: int
    until_right: bool = False

    def __post_init__(self) -> None:
        """Refuse values that make no rule, or that a name cannot hold exactly."""
        parts = {"width": self.width, "threshold": self.threshold, "confidence": self.confidence}
        problems = [
            f"{name}: expected at least 0, below 1 and at most six digits, got {number!r}"
            for name, number in parts.items()
            if not 0 <= number < 1 or float(f"{number:g}") != number
        ]
        if self.width == 0 and self.threshold == 0 and not self.until_right:
            problems.append("width and threshold: expected one above 0, got 0 and 0")
        if self.confidence == 0:
            problems.append("confidence: expected above 0, got 0")
        if self.block < 1 or self.most < 1:
            problems.append(f"block, most: expected at least 1, got {self.block!r}, {self.most!r}")
        if problems:
            raise InputError(f"sequential rule: {'; '.join(problems)}")

    @classmethod
    def parse(cls, name: str) -> "SequentialRule":
        """Return the rule of a name; InputError where the text names none."""
        try:
            found = re.fullmatch(NAME_PATTERN, name)
            if found is not None:
                block, width, threshold, confidence, most, until = found.groups()
                asked = float(width), float(threshold), float(confidence)
                return cls(int(block), *asked, int(most), until is not None)
        except ValueError as error:
            raise InputError(f"stopping rule {name!r}: {error}") from None
        raise InputError(f"stopping rule: expected text like {_EXAMPLE!r}, got {name!r}")

    @property
    def name(self) -> str:
        """Return the text that stands in `stopping_rule`."""
        return (
            f"sequential block={self.block} width={self.width:g} threshold={self.threshold:g} "
            f"confidence={self.confidence:g} most={self.most}"
            f"{' until=right' if self.until_right else ''}"
        )

    @property
    def plan(self) -> StoppingPlan:
        """Return the blocks and open states of the rule, made once for equal rules."""
        return _plan(self)

    def goes_on(self, num_correct: int, num_rollouts: int) -> bool:
        """Return whether to draw another block after these counts."""
        if not 0 <= num_correct <= num_rollouts:
            raise InputError(
                "goes_on: expected 0 <= num_correct <= num_rollouts, "
                f"got {num_correct!r} of {num_rollouts!r}"
            )
        if num_rollouts >= self.num_blocks * self.block:
            return False
        return _decisions(self, num_rollouts)[num_correct]

    def is_enough(self, num_correct: NDArray[np.int64], bounds: Bounds) -> NDArray[np.bool_]:
        """Return of each count and its interval whether they answer what the rule asks."""
        low, high = bounds
        is_narrow = (self.width > 0) & (high - low <= self.width)
        is_clear = (self.threshold > 0) & ((high < self.threshold) | (low > self.threshold))
        return np.asarray(is_narrow | is_clear | (self.until_right & (num_correct > 0)))

    def best_of(self, num_correct: int, num_rollouts: int, k: int) -> float | None:
        """Return `StoppingPlan.best_of` of the rule's plan."""
        return self.plan.best_of(num_correct, num_rollouts, k)

    @property
    def num_blocks(self) -> int:
        """Return how many blocks are drawn at most."""
        return -(-self.most // self.block)


@lru_cache(maxsize=64)
def _plan(rule: SequentialRule) -> StoppingPlan:
    open_states = {
        (c, n)
        for n in range(rule.block, rule.num_blocks * rule.block, rule.block)
        for c, goes_on in enumerate(_decisions(rule, n))
        if goes_on
    }
    return StoppingPlan((rule.block,) * rule.num_blocks, frozenset(open_states))


@lru_cache(maxsize=4096)
def _decisions(rule: SequentialRule, num_rollouts: int) -> tuple[bool, ...]:
    """Return for each c whether the rule asks for more after (c, n)."""
    correct = np.arange(num_rollouts + 1)
    bounds = sequence_interval(correct, num_rollouts, confidence=rule.confidence)
    return tuple((~rule.is_enough(correct, bounds)).tolist())
