"""Why a block was drawn, as the column `stopping_rule` has it.

`sql/` knows `fixed` and `fresh`: no outcome of the prefix influenced the counts of their blocks.
`search` found a pit. A planner of another package uses these names for such blocks. A rule of its
own is for blocks where outcomes decide whether to continue.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pav.models.errors import InputError
from pav.models.labels.sequential import NAME_PATTERN

FIXED = "fixed"
SEQUENTIAL = "sequential"
ALLOCATED = "allocated"
FRESH = "fresh"
SEARCH = "search"


@dataclass(frozen=True, slots=True)
class BlockRule:
    """A reason to draw a block: its first word, the pattern of the whole, and what it says."""

    name: str
    pattern: str
    meaning: str

    def __post_init__(self) -> None:
        """Refuse a name of several words, and a pattern that no rule of the name matches."""
        if self.name.split() != [self.name]:
            raise InputError(f"stopping rule: expected a name of one word, got {self.name!r}")
        if not self.pattern.startswith(self.name):
            raise InputError(
                f"stopping rule {self.name!r}: expected a pattern that begins with the name, got "
                f"{self.pattern!r}"
            )


# A block with several reasons has the first of these. Rules of plug-ins come last.
_SHARED = (
    BlockRule(FIXED, FIXED, "wanted before any outcome of its prefix was seen"),
    BlockRule(
        SEQUENTIAL,
        NAME_PATTERN,
        "the prefix's own earlier counts said go on, by the rule with these parameters",
    ),
    BlockRule(ALLOCATED, ALLOCATED, "bought in a round of a common budget, by expected gain"),
    BlockRule(
        FRESH, FRESH, "of a prefix that was chosen for its outcome, independent of what chose it"
    ),
    BlockRule(SEARCH, SEARCH, "drawn one by one until it was decided whether to choose the prefix"),
)
RULES: Mapping[str, BlockRule] = {rule.name: rule for rule in _SHARED}
_RANKS = {name: place for place, name in enumerate(RULES)}


def rank(rule: str) -> tuple[int, str]:
    """Return a key that sorts stopping rules: RULES in order, then those of plug-ins by name."""
    name = rule.split(" ", 1)[0]
    return _RANKS.get(name, len(RULES)), name
