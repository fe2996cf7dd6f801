r"""Answers of several parts: `n = 1, 2, 3`, `\{3, 4\}`, `(1, 2)`, each compared part by part.

A symbolic comparison of a whole list may take its last part for the list, or drop a name. It is
therefore given one part at a time.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pav.models.domains.math.forms import normal_form, read_number

# Matching parts in any order takes comparisons in proportion to the square of their number.
MOST_PARTS = 64
_NAME = re.compile(r"([A-Za-z](?:_\{?[A-Za-z0-9]+\}?)?)\s*(?:=|\\in(?![a-zA-Z]))\s*(?!.*[=<>])")
_PAIRS = {"(": ")", "[": "]", "{": "}"}
# A comma before exactly three digits may part thousands; then the number is one part.
_SEPARATOR = re.compile(r"(?<![0-9]),|,(?![0-9]{3}(?![0-9]))")
_PLUS_MINUS = re.compile(r"\\pm(?![a-zA-Z])|\u00b1")
_JOINT = re.compile(r"(?:,\s*)?(?:\\text\{\s*(?:and|or)\s*\}|\b(?:and|or)\b)")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an answer; `bracket` is `(`, `[`, `{` or empty, `closing` what ends it."""

    items: tuple[str, ...]
    bracket: str = ""
    closing: str = ""
    name: str = ""

    @property
    def is_ordered(self) -> bool:
        """Whether the order of the parts matters."""
        return self.bracket in ("(", "[")


def parts_of(answer: str) -> Parts:
    """Return the parts of an answer, one for what is no list."""
    form = normal_form(answer)
    name, form = _named(form)
    if read_number(form) is not None:
        return Parts((form,), name=name)
    items = _both_signs(_split(_JOINT.sub(",", form)))
    if len(items) > 1:
        return Parts(tuple(_named(item)[1] for item in items), name=name)
    opening, inner, closing = _bracketed(form)
    # A set of one part is that part; a bracket of one part is arithmetic.
    if opening and (opening == "{" or len(_split(inner)) > 1):
        return Parts(_both_signs(_split(inner)), opening, closing, name)
    return Parts((form,), name=name)


def same_parts(gold: Parts, answer: Parts, is_same: Callable[[str, str], bool]) -> bool:
    """Return whether two answers have the same parts, in order where their brackets say so."""
    if max(len(gold.items), len(answer.items)) > MOST_PARTS:
        return False
    if gold.name and answer.name and gold.name != answer.name:
        return False
    if gold.is_ordered or answer.is_ordered:
        brackets = (gold.bracket, gold.closing) == (answer.bracket, answer.closing)
        if not brackets or len(gold.items) != len(answer.items):
            return False
        return all(map(is_same, gold.items, answer.items))
    if len(gold.items) == len(answer.items):
        return _matches(gold.items, list(answer.items), is_same)
    first, second = _merged(gold.items, is_same), _merged(answer.items, is_same)
    return len(first) == len(second) and _matches(first, second, is_same)


def _merged(items: Sequence[str], is_same: Callable[[str, str], bool]) -> list[str]:
    """Return the items without those that write an earlier one in another way.

    `x + 11 = 11 + x` is one answer given twice; `3, 3` are two.
    """
    kept: list[str] = []
    for item in items:
        if not any(item != other and is_same(other, item) for other in kept):
            kept.append(item)
    return kept


def _matches(gold: Sequence[str], answers: list[str], is_same: Callable[[str, str], bool]) -> bool:
    """Return whether each part has its own answer; as equality is transitive, the first will do."""
    for one in gold:
        found = next((other for other in answers if is_same(one, other)), None)
        if found is None:
            return False
        answers.remove(found)
    return True


def _both_signs(items: tuple[str, ...]) -> tuple[str, ...]:
    r"""Return the items with `3 \pm a` as the two that it stands for."""
    pairs = (
        [re.sub(r"^\+", "", _PLUS_MINUS.sub(sign, item)) for sign in "+-"]
        if len(_PLUS_MINUS.findall(item)) == 1
        else [item]
        for item in items
    )
    return tuple(each for pair in pairs for each in pair)


def _named(form: str) -> tuple[str, str]:
    r"""Return the name that a form is given to, and the rest: `x = 5`, `x \in (1, 2)`."""
    match = _NAME.match(form)
    return (match[1], form[match.end() :]) if match else ("", form)


def _bracketed(form: str) -> tuple[str, str, str]:
    """Return the bracket around all of a form, its inside, and what closes it; else empty texts."""
    plain = form.replace(r"\{", "{").replace(r"\}", "}")
    if plain[:1] not in _PAIRS or plain[-1:] not in _PAIRS.values() or form[:1] == "{":
        return "", form, ""
    depth = 0
    for index, character in enumerate(plain):
        depth += (character in _PAIRS) - (character in _PAIRS.values())
        if depth == 0 and index < len(plain) - 1:
            return "", form, ""
    return plain[0], plain[1:-1], plain[-1]


def _split(form: str) -> tuple[str, ...]:
    """Cut at the commas that stand in no bracket."""
    items, start, depth = [], 0, 0
    separators = {match.start() for match in _SEPARATOR.finditer(form)}
    for index, character in enumerate(form):
        depth += (character in _PAIRS) - (character in _PAIRS.values())
        if index in separators and depth == 0:
            items.append(form[start:index].strip())
            start = index + 1
    return tuple(filter(None, (*items, form[start:].strip())))
