"""How a response to a `math` problem is cut into steps; joined, the steps are the text again."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pav.models.errors import InputError

Split = Callable[[str], Sequence[str]]

# A run of newlines ends one step: blank lines are no steps of their own.
_LINE = re.compile(r"[^\n]*\n+|[^\n]+")
_PARAGRAPH_END = re.compile(r"\n\n+")
_SENTENCE_END = re.compile(r"[.!?][\"'\u201d\u2019)\]]*\s+|\n+")
# A full stop after these ends no sentence: titles, usual abbreviations, "1." before an item.
_NO_END = re.compile(r"(?:^|[\s(])(?:[0-9]+|[A-Z]|Mrs?|Ms|Dr|St|No|vs|cf|e\.g|i\.e|etc|approx)\.$")
_WORD = re.compile(r"\S+\s*")
# `solve("""`, `answer('''` or the start of a fenced block: what opens, and what closes it.
_OPENING = re.compile(r"\w+\(\s*(\"\"\"|''')|(```)[^\n`]*\n")
# No abbreviation is longer; looking further back would make a long text quadratic.
_LONGEST_ABBREVIATION = 12


@dataclass(frozen=True)
class Segmenter:
    """A way to cut; `delimiter` is the text that ends each step, empty where no one text does."""

    delimiter: str
    split: Split
    is_whole: Callable[[str], bool]


def split_lines(text: str) -> tuple[str, ...]:
    """Cut after each run of newlines."""
    return tuple(_LINE.findall(text)) if text else ()


def split_paragraphs(text: str) -> tuple[str, ...]:
    """Cut after each run of two or more newlines."""
    return _cut(text, (match.end() for match in _PARAGRAPH_END.finditer(text)))


def split_sentences(text: str) -> tuple[str, ...]:
    """Cut after the white space that follows a sentence, and after newlines."""
    return _cut(text, (match.end() for match in _SENTENCE_END.finditer(text) if _ends(match)))


def split_words(text: str, num_words: int) -> tuple[str, ...]:
    """Cut after every `num_words` words, each with the white space after it."""
    ends = [match.end() for match in _WORD.finditer(text)]
    return _cut(text, ends[num_words - 1 :: num_words])


def split_call(text: str) -> tuple[str, ...]:
    """Cut the text inside the first call or fenced block after each line.

    What stands before it belongs to the first step, what stands after it to the last; a text
    without either is one step.
    """
    opening = _OPENING.search(text)
    if opening is None:
        return (text,) if text else ()
    start = opening.end()
    closing = text.find(opening[1] or opening[2], start)
    inside = text[start:] if closing < 0 else text[start:closing]
    lines = [line for line in _LINE.finditer(inside) if line[0].strip()]
    # The last line runs on through the closing; an open text may end within a line.
    ends = [start + line.end() for line in lines]
    return _cut(text, ends if closing < 0 else ends[:-1])


def segmenter(name: str, *, num_words: int) -> Segmenter:
    """Return the segmenter of a name; `num_words` is the length of a step of `words`."""
    if name not in SEGMENTERS:
        raise InputError(f"segmenter: expected one of {sorted(SEGMENTERS)}, got {name!r}")
    return SEGMENTERS[name](num_words)


def _of_words(num_words: int) -> Segmenter:
    def is_whole(step: str) -> bool:
        return len(step.split()) == num_words and step[-1:].isspace()

    return Segmenter("", lambda text: split_words(text, num_words), is_whole)


def _ends_in_newline(step: str) -> bool:
    return step.endswith("\n")


SEGMENTERS: dict[str, Callable[[int], Segmenter]] = {
    "line": lambda _: Segmenter("\n", split_lines, _ends_in_newline),
    "paragraph": lambda _: Segmenter("\n\n", split_paragraphs, lambda step: step[-2:] == "\n\n"),
    "sentence": lambda _: Segmenter("", split_sentences, lambda step: step[-1:].isspace()),
    "words": _of_words,
    "call": lambda _: Segmenter("", split_call, _ends_in_newline),
}


def _ends(match: re.Match[str]) -> bool:
    """Whether a sentence ends here: not after `1.`, `Mr.` or `e.g.` in the middle of a line."""
    if "\n" in match[0]:
        return True
    start = max(0, match.start() - _LONGEST_ABBREVIATION)
    return _NO_END.search(match.string[start : match.start() + 1]) is None


def _cut(text: str, ends: Iterator[int] | Sequence[int]) -> tuple[str, ...]:
    """Return the pieces between the ends, the rest of the text as the last one."""
    pieces, start = [], 0
    for end in (*ends, len(text)):
        if end > start:
            pieces.append(text[start:end])
            start = end
    return tuple(pieces)
