"""Why a block was drawn, as the column `stopping_rule` has it: the one list of its values."""

from dataclasses import dataclass

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


# Of several reasons for one block the first one counts.
RULES = (
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
_RANKS = {rule.name: place for place, rule in enumerate(RULES)}


def rank(rule: str) -> int:
    """Return the place of a stopping rule among RULES, by its first word."""
    return _RANKS[rule.split(" ", 1)[0]]
