"""Domain `math`: worked answers in words and LaTeX, as in GSM8K, MATH and files like them."""

from collections.abc import Sequence
from functools import lru_cache

from pav.models.domains.math.answers import SEVERAL, TOO_SLOW, AnswerRule, find_answer
from pav.models.domains.math.forms import comparable, compare
from pav.models.domains.math.steps import segmenter as segmenter_of
from pav.models.errors import InputError, shown
from pav.models.hashing import digest
from pav.models.records import Doubt, Grading, Prefix, Problem, Verdict

CUT_OFF = Grading(Verdict.TRUNCATED, "cut off")
DIFFERENT = "another answer"
_SLOT = "{question}"


class Math:
    """Questions with a final answer; what a step is and where the answer stands are settings."""

    name: str = "math"
    equal_lengths: bool = False
    answer_settings: str = "problems.answer_mark, or problems.answer_pattern,"

    def __init__(
        self,
        *,
        prompt: str = "{question}\n",
        segmenter: str = "line",
        step_words: int = 32,
        answer_mark: str = "any",
        answer_pattern: str = "",
    ) -> None:
        """Check the settings; InputError says which of them is wrong."""
        if prompt.count(_SLOT) != 1:
            raise InputError(f"problems.prompt: expected {_SLOT} in it once, got {shown(prompt)}")
        self._template = prompt
        self._steps = segmenter_of(segmenter, num_words=step_words)
        self._rule = AnswerRule(answer_mark, answer_pattern)
        self.delimiter: str = self._steps.delimiter
        self._segmenter, self._step_words = segmenter, step_words

    def problem(self, question: str, answer: str, *, problem_id: str, split: str) -> Problem:
        """Return the problem; an answer is the final one, or a worked one that marks it.

        Questions that differ in white space alone are the same problem.
        """
        _gold(answer.strip(), self._rule)
        return self._problem(question, answer.strip(), "program", problem_id, split)

    def unanswered(self, question: str, *, problem_id: str, split: str) -> Problem:
        """Return the problem without its answer, which cannot be graded."""
        return self._problem(question, "", "none", problem_id, split)

    def _problem(
        self, question: str, answer: str, source: str, problem_id: str, split: str
    ) -> Problem:
        key = f"{self.name}:{digest(' '.join(question.split()), length=20)}"
        return Problem(
            problem_id=problem_id or key,
            domain=self.name,
            question=question.strip(),
            answer=answer,
            answer_source=source,
            split=split,
            canonical_key=key,
        )

    def prompt(self, problem: Problem) -> str:
        """Return the template with the question in it."""
        return self._template.replace(_SLOT, problem.question)

    def split_steps(self, text: str) -> tuple[str, ...]:
        """Cut a response as the segmenter does; joined, the steps are the text again."""
        return tuple(self._steps.split(text))

    def ends_step(self, step: str) -> bool:
        """Return whether a step is whole."""
        return self._steps.is_whole(step)

    def grade(self, problem: Problem, prefix: Prefix) -> Grading | Doubt:
        """Compare the final answer with the problem's, as far as their text tells."""
        if not prefix.is_finished:
            return CUT_OFF
        found = find_answer(prefix.text, self._rule)
        if found.answer is None:
            is_late = found.reason == TOO_SLOW
            return Grading(Verdict.FAILED if is_late else Verdict.UNPARSED, found.reason)
        gold = _gold(problem.answer, self._rule)
        is_same = compare(gold, found.answer)
        return (
            Doubt(gold, found.answer, found.reason)
            if is_same is None
            else judged(is_same, found.reason)
        )

    def answer_key(self, response: Prefix) -> str | None:
        """Return the final answer in its normal form, a number as the number that it is."""
        found = find_answer(response.text, self._rule).answer
        return None if found is None else comparable(found)

    def contradicts(self, problem: Problem, other: Problem) -> bool:
        """Return whether one question comes with two different answers."""
        golds = [_gold(each.answer, self._rule) for each in (problem, other)]
        return compare(*golds) is False

    def rephrasings(self, problem: Problem) -> Sequence[Problem]:
        """Return the problem alone: nobody knows how else to ask it."""
        return [problem]

    @property
    def step_settings(self) -> str:
        """The segmenter, with the number of words where it counts them."""
        size = f", problems.step_words={self._step_words}" if self._segmenter == "words" else ""
        return f"problems.segmenter={self._segmenter}{size}"

    def described(self, questions: Sequence[str], answers: Sequence[str]) -> str:
        """Return that questions are mathematical, and what a step is."""
        step = {
            "words": f"{self._step_words} words",
            "call": "a line of the first code block",
        }.get(self._segmenter, f"a {self._segmenter}")
        return (
            "Each problem is a mathematical question. A solution is right when its final answer "
            f"is; a step is {step}."
        )


def judged(is_same: bool, reason: str = "") -> Grading:
    """Return the verdict on an answer that was compared, with what was noted when it was found."""
    if is_same:
        return Grading(Verdict.CORRECT, reason)
    return Grading(Verdict.WRONG, reason if reason == SEVERAL else DIFFERENT)


@lru_cache(maxsize=1 << 14)
def _gold(answer: str, rule: AnswerRule) -> str:
    """Return the final answer of a problem's answer: what it marks, else the one line it is."""
    signs = AnswerRule("signs", rule.pattern) if rule.kind == "any" else rule
    for each in (signs, AnswerRule("signs"), AnswerRule("any")):
        if (found := find_answer(answer, each).answer) is not None:
            return found
    if not answer or "\n" in answer:
        raise InputError(
            "answer: expected a final answer on one line, or a worked one that marks it with "
            rf"#### or \boxed{{}}, got {answer[-80:]!r}"
        )
    return answer
