r"""A second grader for `math`, to check the first: its own way to the answer, its own arithmetic.

It shares no code with the first one, knows only numbers, fractions and equal words, and says so
where it knows nothing. Rows on which the two disagree are worth a person's look.
"""

import re
from fractions import Fraction

_BOX = re.compile(r"\\boxed\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_MARKED = re.compile(r"(?:####|\banswer(?: is|:)|^A:)[ \t]*([^\n]+)", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"-?(?:[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?|\.[0-9]+)(?:\s*/\s*[0-9]+)?")
_SMALL_FRACTION = re.compile(r"\\[dt]?frac\{(-?[0-9]+)\}\{([0-9]+)\}")
_NOISE = re.compile(r"\\text|\\left|\\right|\\[!,;: $]|[\s{}$*`\u200b-\u200f\u202a-\u202e]")
# Longest number that is read: Python refuses far longer ones, and none matters here.
_MOST_CHARACTERS = 300
_TOLERANCE = Fraction(1, 1_000_000)


def audit_same(gold: str, response: str) -> bool | None:
    """Return whether a response ends in the gold answer; None where this grader cannot tell.

    `gold` is a final answer or a worked one.
    """
    wanted, given = _final(gold), _final(response)
    if wanted is None or given is None:
        return None
    first, second = _value(wanted), _value(given)
    if first is not None and second is not None:
        return abs(first - second) <= _TOLERANCE
    return True if _plain(wanted) == _plain(given) else None


def _final(text: str) -> str | None:
    """Return the last answer that is marked in any usual way, else the last number, if short."""
    marks = [(match.start(), match[1]) for match in (*_BOX.finditer(text), *_MARKED.finditer(text))]
    if marks:
        answer = max(marks)[1]
        return answer if len(answer) <= _MOST_CHARACTERS else None
    if "\n" not in text and len(text) <= _MOST_CHARACTERS and not _NUMBER.search(text):
        return text
    numbers = _NUMBER.findall(text[-_MOST_CHARACTERS:])
    return numbers[-1] if numbers else None


def _value(answer: str) -> Fraction | None:
    """Return the number that an answer is, words around it left aside; None for several."""
    plain = _SMALL_FRACTION.sub(r"\1/\2", answer)
    numbers = _NUMBER.findall(plain.replace("$", ""))
    if len(numbers) != 1 or re.search(r"[\\^_=<>()+]|[a-zA-Z]\s*[0-9]|[0-9]\s*[a-zA-Z]\b", plain):
        return None
    upper, _, lower = numbers[0].replace(",", "").replace(" ", "").partition("/")
    return Fraction(upper) / int(lower or 1) if int(lower or 1) else None


def _plain(answer: str) -> str:
    return _NOISE.sub("", answer).rstrip(".").casefold()
