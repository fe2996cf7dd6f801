"""How large a user's regular expression becomes, known before it is compiled."""

import re

from pav.models.errors import InputError

MOST_CHARACTERS = 1000
# A compiler writes out what must stand several times: so many pieces need a tenth of a second.
MOST_PIECES = 100_000
_PIECES = re.compile(r"\\.|\(|\)|\{([0-9]+)(?:,[0-9]*)?\}|.", re.DOTALL)


def check_pattern_size(pattern: str, *, asked_by: str) -> None:
    """Raise InputError where a pattern would take long to compile."""
    if len(pattern) > MOST_CHARACTERS:
        raise InputError(
            f"{asked_by}: expected at most {MOST_CHARACTERS} characters, got {len(pattern):,}"
        )
    if num_pieces(pattern) > MOST_PIECES:
        raise InputError(
            f"{asked_by}: expected repetitions that make at most {MOST_PIECES:,} pieces when "
            "written out, got more; use + or * in place of a large {number}"
        )


def num_pieces(pattern: str) -> int:
    """Return how many pieces a pattern has once each {number} is written out, or more."""
    open_groups: list[list[int]] = [[]]
    for match in _PIECES.finditer(pattern):
        if match[0] == "(":
            open_groups.append([1])
        elif match[0] == ")" and len(open_groups) > 1:
            inner = sum(open_groups.pop())
            open_groups[-1].append(inner)
        elif match[1] and open_groups[-1]:
            open_groups[-1][-1] *= max(1, int(match[1]))
        else:
            open_groups[-1].append(1)
    return sum(map(sum, open_groups))
