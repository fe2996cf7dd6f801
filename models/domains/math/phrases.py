"""Answers announced in words: `The answer is 18.`, `**Final answer:** 18`, `A: 18`.

The text after the words counts up to the end of its sentence, and only if it is short. Running text
may follow "the answer is" too, and no number is taken out of running text.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

_BOLD = r"[*_]{0,3}"
_COLON = rf"{_BOLD}[ \t]*:{_BOLD}"
# The answer is 18. The final answer is: 18
_IS = re.compile(rf"[ \t]+is\b(?:{_COLON}\s*)?", re.IGNORECASE)
_BEFORE_IS = re.compile(
    r"(?<![a-z])(?:the|final)[ \t]+(?:(?:final|correct)[ \t]+)?\Z", re.IGNORECASE
)
# Answer: 18, **Final Answer**: 18, where a line or a sentence begins, not "check our answer:". The
# answer may stand on the next line.
_LABEL = re.compile(rf"{_COLON}\s*")
_BEFORE_LABEL = re.compile(
    r"(?:^|[.!?][ \t])[ \t>#*_-]{0,8}(?:the[ \t]+)?(?:final[ \t]+)?\Z", re.IGNORECASE | re.MULTILINE
)
# Number of characters that may stand before the word.
_MOST_BEFORE = 40
# A: 18, at the start of a line alone.
_LETTER = re.compile(rf"\n[ \t]*{_BOLD}A{_COLON}[ \t]*")
_MOST_CHARACTERS = 400
# The end of a sentence, or a reason that follows. 5! stays: it may be a factorial.
_END = re.compile(
    r"[.?](?=[*_\"'`)\]]*(?:\s|$))|,?[ \t]+(?:because|since|as|so|which|where|after)\b"
)
_AROUND = " \t\r*_`\"'\u201c\u201d"
_MATH = re.compile(r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[a-zA-Z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FIRST_WORD = re.compile(r"([^\W\d_]+)\b")
_MOST_WORDS = 4
# Words about an answer that was given before.
_JUDGED = frozenset((
    "correct", "right", "wrong", "incorrect", "clear", "consistent", "reasonable", "verified",
    "confirmed", "found", "given", "below", "above", "obvious", "ready", "positive", "negative",
))  # fmt: skip
# How running text goes on.
_RUNNING_ON = _JUDGED | frozenset((
    "not", "no", "the", "that", "this", "these", "an", "in", "as", "also", "therefore", "thus",
    "then", "still", "indeed", "simply", "just", "what", "when", "how", "whether", "less", "more",
    "greater", "between", "probably", "likely", "equal", "expressed", "it", "we", "they", "he",
    "she", "you", "your", "my", "our", "to", "of", "for", "by", "from", "let", "there", "first",
    "now",
))  # fmt: skip


def announced(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each answer announced in words starts, and the answer."""
    marks = sorted(_announcements(text))
    for (_, begin), (end, _) in pairwise([*marks, (len(text), len(text))]):
        given = _sentence(text[begin:end])
        start = begin + len(given) - len(given.lstrip(_AROUND))
        answer = given.strip(_AROUND).rstrip(".")
        if _is_answer(answer):
            yield start, answer


def _announcements(text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where each announcement stands; most texts have a word or two to try."""
    for word in ("answer", "Answer", "ANSWER"):
        start = text.find(word)
        while start >= 0:
            end, first = start + len(word), max(0, start - _MOST_BEFORE)
            if said := _IS.match(text, end):
                before = _BEFORE_IS.search(text, first, start)
            elif said := _LABEL.match(text, end):
                before = _BEFORE_LABEL.search(text, first, start)
            if said and before:
                yield before.start(), said.end()
            start = text.find(word, end)
    if "A" in text:
        # The pattern needs a line end in front, which the places do not count.
        for match in _LETTER.finditer(f"\n{text}"):
            yield match.start(), match.end() - 1


def _sentence(text: str) -> str:
    """The first sentence of a text, on its first line; empty where it is too long."""
    line = text[: _MOST_CHARACTERS + 1].partition("\n")[0]
    end = _END.search(line)
    given = line[: end.start()] if end else line
    return given if len(given) <= _MOST_CHARACTERS else ""


def _is_answer(text: str) -> bool:
    """Whether a text can be an answer: a few words at most, and no way to go on talking."""
    if not text or len(_WORD.findall(_MATH.sub(" ", text))) > _MOST_WORDS:
        return False
    first = _FIRST_WORD.match(text)
    if first is None:
        return True
    is_alone = first.end() == len(text)
    return first[1].lower() not in (_JUDGED if is_alone else _RUNNING_ON)
