"""math-verify behind part-by-part comparison; only grading processes call it, as it may hang."""

import logging
import re
from typing import Any

from math_verify import parse, verify
from math_verify.parser import ExprExtractionConfig, LatexExtractionConfig

from pav.models.domains.math.forms import compare, normal_form
from pav.models.domains.math.lists import parts_of, same_parts

# Every call would say that math-verify's own time limit is off; the pool has a better one.
logging.getLogger("math_verify").setLevel(logging.ERROR)
logging.getLogger("latex2sympy2_extended").setLevel(logging.ERROR)
_TARGETS = (LatexExtractionConfig(), ExprExtractionConfig())
_CLOSENESS = 1e-6
_ZERO = re.compile(r"(?<![0-9.])0+(?:\.0*)?(?![0-9.])")
_BASE = re.compile(r"_\s*\{?\s*([0-9]+)")
_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mbox)\s*\{([^{}]*)\}")


def same_answer(gold: str, answer: str) -> bool:
    """Return whether two answers are the same; this may take for ever, or all memory."""
    known = compare(gold, answer)
    if known is not None:
        return known
    one, other = parts_of(gold), parts_of(answer)
    return same_parts(one, other, _same_part)


def _same_part(gold: str, answer: str) -> bool:
    known = compare(gold, answer)
    if known is not None:
        return known
    for dropped_part in (_words, _bases):
        dropped = dropped_part(gold), dropped_part(answer)
        if all(dropped) and dropped[0] != dropped[1]:
            # math-verify drops both: 10 cm would be 10 m, 11 in base 3 the same in base 2.
            return False
    first, second = _parsed(gold), _parsed(answer)
    agrees = verify(first, second, timeout_seconds=None)
    return bool(agrees) and _is_sound(first, second, gold + answer)


def _words(answer: str) -> str:
    r"""Return the letters and digits in the answer's `\text{}`s."""
    return "".join(char for char in "".join(_WORDS.findall(answer)).casefold() if char.isalnum())


def _bases(answer: str) -> tuple[str, ...]:
    """Return the subscripts that are numbers."""
    return tuple(_BASE.findall(answer))


def _parsed(answer: str) -> list[Any]:
    found = parse(f"${normal_form(answer)}$", extraction_config=_TARGETS, parsing_timeout=None)
    return list(found)


def _is_sound(first: list[Any], second: list[Any], texts: str) -> bool:
    """Whether an agreement stands: math-verify rounds to 6 decimals, so 1/2004! is 1/2006! to it.

    Of two numbers that both come out as 0, at least one must have been written so.
    """
    one, other = (next((each for each in found if _is_number(each)), None)
                  for found in (first, second))  # fmt: skip
    if one is None or other is None:
        return True
    near, far = abs((one - other).evalf()), max(abs(one.evalf()), abs(other.evalf()))
    if far == 0:
        return _ZERO.search(texts) is not None
    return bool(near <= _CLOSENESS * far)


def _is_number(parsed: Any) -> bool:
    return bool(getattr(parsed, "is_number", False)) and bool(getattr(parsed, "is_finite", False))
