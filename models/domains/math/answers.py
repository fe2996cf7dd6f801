r"""The final answer of a text: `#### 18`, `\boxed{18}`, `The answer is 18`, or by a pattern."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

import regex

from pav.models.domains.math.forms import normal_form
from pav.models.domains.math.phrases import announced
from pav.models.domains.pattern_size import check_pattern_size
from pav.models.errors import InputError, shown

NO_ANSWER = "no answer found"
_SETTING = "problems.answer_pattern"
TOO_SLOW = f"{_SETTING} took too long"
# Time limit of a user's pattern, which can backtrack for ever; a sound pattern takes microseconds.
_LIMIT_SECONDS = 0.25
SEVERAL = "several different answers"
LAST_OF_SEVERAL = "last of several different answers"
_HASHES = re.compile(r"####[ \t]*(.*)")
# A backslash and the next character are one piece, so `\{` opens nothing.
_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as written, or none; `reason` says why there is none, or that there were more."""

    answer: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """An answer and where it starts; `is_box` False for what runs to the end of a line.

    `is_said` where words announce it: one that is said later on the same line takes its place.
    """

    start: int
    answer: str
    is_box: bool = False
    is_said: bool = False

    @property
    def end(self) -> int:
        """Where the answer ends; an empty one ends behind its start."""
        return self.start + max(1, len(self.answer))


@dataclass(frozen=True)
class AnswerRule:
    """Which marks count: `hashes`, `boxed`, `pattern`, or `any`, the last of whichever stand.

    `signs` are all of these but words such as "the answer is": a worked answer that is known to be
    right goes by its sign, whatever it says on the way.
    """

    kind: str
    pattern: str = ""

    def __post_init__(self) -> None:
        compile_pattern(self.pattern)
        if self.kind == "pattern" and not self.pattern:
            raise InputError(
                f"{_SETTING}: expected a regular expression with one group, got '', "
                "which problems.answer_mark=pattern needs"
            )


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> regex.Pattern[str] | None:
    """Return the compiled pattern, None for an empty one; InputError unless it has one group."""
    if not pattern:
        return None
    check_pattern_size(pattern, asked_by=_SETTING)
    try:
        compiled = regex.compile(pattern, regex.MULTILINE)
    except (regex.error, RecursionError) as error:
        reason = "groups nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(
            f"{_SETTING}: expected a regular expression, got {shown(pattern)}: {reason}"
        ) from None
    if compiled.groups != 1:
        raise InputError(
            f"{_SETTING}: expected exactly one group, which holds the answer, got "
            f"{compiled.groups} in {shown(pattern)}"
        )
    return compiled


def find_answer(text: str, rule: AnswerRule) -> Found:
    """Return the final answer of a text, by time in proportion to its length, or `TOO_SLOW`.

    Different answers on the last marked line are returned together, joined by commas; of
    different answers on several lines, or announced in words, the last counts.
    """
    try:
        marks, is_open = _marks(text, rule)
    except TimeoutError:
        return Found(None, TOO_SLOW)
    if is_open:
        return Found(None, f"{NO_ANSWER}: a \\boxed{{ is never closed")
    if not marks:
        return Found(None, NO_ANSWER)
    last = _distinct([mark.answer for mark in _last_line(text, marks)])
    if len(last) > 1:
        return Found(", ".join(last), SEVERAL)
    answer = marks[-1].answer
    if not answer:
        return Found(None, f"{NO_ANSWER}: the mark is empty")
    is_last = len(_distinct([mark.answer for mark in marks if mark.answer])) > 1
    return Found(answer, LAST_OF_SEVERAL if is_last else "")


def _marks(text: str, rule: AnswerRule) -> tuple[list[_Mark], bool]:
    """Return the marked answers in the order of the text, and whether a box is left open."""
    marks: list[_Mark] = []
    is_open = False
    if rule.kind in ("any", "signs", "boxed"):
        marks, is_open = _boxes(text)
    if rule.kind in ("any", "signs", "hashes"):
        marks += [_Mark(match.start(1), match[1].strip()) for match in _HASHES.finditer(text)]
    if rule.kind == "any":
        marks += [_Mark(start, answer, is_said=True) for start, answer in announced(text)]
    if rule.kind in ("any", "signs", "pattern"):
        marks = _with_pattern(marks, text, rule)
    return _precise(sorted(marks, key=lambda mark: mark.start)), is_open


def _with_pattern(marks: list[_Mark], text: str, rule: AnswerRule) -> list[_Mark]:
    """Add the finds of the user's pattern; announcements within a find do not count again."""
    pattern = compile_pattern(rule.pattern)
    if pattern is None:
        return marks
    found = [
        match for match in pattern.finditer(text, timeout=_LIMIT_SECONDS) if match[1] is not None
    ]
    starts = [match.start() for match in found]

    def is_free(mark: _Mark) -> bool:
        before = bisect_right(starts, mark.start)
        return not (mark.is_said and before and mark.start < found[before - 1].end())

    pattern_marks = [_Mark(match.start(1), match[1].strip()) for match in found]
    return [*filter(is_free, marks), *pattern_marks]


def _last_line(text: str, marks: list[_Mark]) -> list[_Mark]:
    """Return the marks that form the answer: the last one and its like on the same line."""
    if marks[-1].is_said:
        return marks[-1:]
    line = text.rfind("\n", 0, marks[-1].start)
    return [mark for mark in marks if mark.start > line and not mark.is_said]


def _boxes(text: str) -> tuple[list[_Mark], bool]:
    """Return the contents of all closed boxes, and whether the last one opened is never closed."""
    if "boxed" not in text and "fbox" not in text:
        # Most texts have no box, and their braces need no count.
        return [], False
    boxes: list[_Mark] = []
    open_braces: list[tuple[bool, int]] = []
    for match in _BRACES.finditer(text):
        if match[0] == "}":
            is_box, start = open_braces.pop() if open_braces else (False, 0)
            if is_box:
                while boxes and boxes[-1].start > start:
                    boxes.pop()
                boxes.append(_Mark(start, text[start : match.start()].strip(), is_box=True))
        elif match[0][-1] == "{" and match[0] != r"\{":
            open_braces.append((match[0] != "{", match.end()))
    last_closed = max((box.start for box in boxes), default=-1)
    return boxes, any(is_box and start > last_closed for is_box, start in open_braces)


def _precise(marks: list[_Mark]) -> list[_Mark]:
    r"""Return the marks without lines in which another starts: `#### \boxed{5}` is one answer."""
    return [
        mark
        for mark, next_mark in zip_longest(marks, marks[1:])
        if mark.is_box or next_mark is None or next_mark.start >= mark.end
    ]


def _distinct(answers: list[str]) -> list[str]:
    return list({normal_form(answer): answer for answer in reversed(answers)}.values())[::-1]
