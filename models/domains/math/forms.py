r"""Answers in a normal form, and the comparison that text alone allows.

Two rules hold everywhere. Time is in proportion to the length. Where the text does not decide
whether two answers are the same, `compare` says so and leaves them to the symbolic grader.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from pav.models.domains.math.units import without_unit

# Longer numbers are compared as text: arithmetic on them is no longer cheap.
MOST_DIGITS = 60
# Longer answers are no answers; nothing is computed on them.
MOST_CHARACTERS = 2_000
_DIGITS = rf"[0-9]{{1,{MOST_DIGITS}}}"
_WHOLE = rf"(?:[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,19}}|{_DIGITS})"
_NUMBER = re.compile(rf"([-+]?)(?:({_WHOLE})(?:\.({_DIGITS})?)?|\.({_DIGITS}))(%?)")
_FRACTION = re.compile(
    rf"([-+]?)(?:\\frac\{{([-+]?{_DIGITS})\}}\{{({_DIGITS})\}}|({_DIGITS})/({_DIGITS}))"
)
_WRAPPERS = (
    ("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("`", "`"),
)  # fmt: skip
_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox)\s*\{([^{}\\]*)\}")
_REPLACED = (
    (re.compile(r"\\(?:left|right)(?![a-zA-Z])\s*|\\!"), ""),
    (re.compile(r"\\[,;: ]|\\q?quad(?![a-zA-Z])|~"), " "),
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\frac\s*([0-9])\s*([0-9])"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\frac\s*([0-9])\s*\{"), r"\\frac{\1}{"),
    (re.compile(r"\\frac\s*(\{[^{}]*\})\s*([0-9])"), r"\\frac\1{\2}"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\%"), "%"),
    (re.compile("\u2212"), "-"),
    (re.compile(r"\^\{\\circ\}"), r"^\\circ"),
)  # fmt: skip
_SPACE = re.compile(r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])")
_CURRENCY = re.compile(r"([-+]?)\s*(?:\\\$|\$|€|£)\s*(?=[-+.0-9])")
_MOST_WRAPPERS = 8


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number as written; `is_decimal` where it may have been rounded."""

    value: Fraction
    is_percent: bool = False
    is_decimal: bool = False


def normal_form(answer: str) -> str:
    """Return an answer without what does not change its meaning: dollars, spacing, wrappers.

    White space between two letters or digits stays, as `2 1/2` is not `21/2`. An answer above
    `MOST_CHARACTERS` comes back as it is.
    """
    return answer if len(answer) > MOST_CHARACTERS else _normal_form(answer)


# Rollouts of one problem repeat their answers. The bound keeps a cache of long ones small.
@lru_cache(maxsize=1 << 15)
def _normal_form(answer: str) -> str:
    # Marks that show nothing, such as those for right-to-left text, are no part of an answer.
    form = "".join(char for char in answer if unicodedata.category(char) != "Cf")
    for pattern, replacement in _REPLACED:
        form = pattern.sub(replacement, form)
    for _ in range(_MOST_WRAPPERS):
        shorter = _unwrap(form.strip())
        if shorter == form:
            break
        form = shorter
    form = _CURRENCY.sub(r"\1", form, count=1) if _CURRENCY.match(form) else form
    return _SPACE.sub("", " ".join(form.split()))


def _unwrap(form: str) -> str:
    r"""Take one layer off: an ending full stop, dollars, bold stars, a `\text{}` around it all."""
    form = form.rstrip(".").rstrip() if form.endswith(".") else form
    if form.endswith("**") and form.count("**") == 1:
        # The other stars stand before the mark: `**#### 5**`.
        return form[:-2].rstrip()
    if match := _TEXT.fullmatch(form):
        return match[1].strip()
    for before, after in _WRAPPERS:
        inner = form[len(before) : -len(after)]
        is_wrapped = len(form) > len(before) + len(after) and form.startswith(before)
        # `$3$ or $4$` starts and ends with a dollar, and is not in dollars.
        if is_wrapped and form.endswith(after) and before not in inner.replace(r"\$", ""):
            return inner.strip()
    return form


@lru_cache(maxsize=1 << 15)
def read_number(form: str) -> Number | None:
    """Return the number that a normal form is, or None: `1,234.50`, `-3/4`, `50%`."""
    if match := _NUMBER.fullmatch(form):
        sign, whole, decimals, bare, percent = match.groups()
        digits = f"{(whole or '0').replace(',', '')}.{decimals or bare or '0'}"
        is_decimal = (decimals or bare) is not None
        return Number(Fraction(sign + digits), bool(percent), is_decimal)
    if match := _FRACTION.fullmatch(form):
        sign, upper, lower, numerator, denominator = match.groups()
        below = int(lower or denominator)
        value = Fraction(int(upper or numerator), below) if below else None
        return None if value is None else Number(-value if sign == "-" else value)
    return None


def comparable(answer: str) -> str:
    """Return a key: the same text for answers that are equal by their text alone.

    `0.5` and `1/2` share a key. `2x+2` and `2(x+1)` do not, as that takes the symbolic grader.
    """
    form = normal_form(answer)
    number = None if len(form) > MOST_CHARACTERS else read_number(form)
    return form if number is None else f"{number.value}{'%' * number.is_percent}"


def forget() -> None:
    """Empty the caches of this module, so that a measurement starts cold."""
    _normal_form.cache_clear()
    read_number.cache_clear()


def compare(gold: str, answer: str) -> bool | None:
    """Return whether two answers are the same, or None where their text does not tell."""
    if len(answer) > MOST_CHARACTERS or len(gold) > MOST_CHARACTERS:
        return gold == answer
    one, other = normal_form(gold), normal_form(answer)
    if one == other:
        return bool(one) or None
    first, second = read_number(one), read_number(other)
    if first is None:
        return None
    if second is None:
        # `18 dollars` is 18 where that is all that was asked for.
        counted = read_number(without_unit(other) or "")
        return True if counted and counted.value == first.value and not first.is_percent else None
    return _compare_numbers(first, second)


def _compare_numbers(one: Number, other: Number) -> bool | None:
    """Tell equal numbers from different ones; None where rounding or a percent sign may matter."""
    is_same = one.value == other.value
    if one.is_percent != other.is_percent:
        # 50 % and 50 are one answer to "how many per cent"; 0.5 % and 0.5 hardly are.
        return True if is_same and abs(one.value) > 1 else None
    is_near = abs(one.value - other.value) < Fraction(1, 10_000)
    may_be_rounded = is_near and (one.is_decimal or other.is_decimal)
    return is_same or (None if may_be_rounded else False)
