"""What every family of problems can do: show a question, cut a response into steps, check it."""

from collections.abc import Sequence
from typing import Protocol

from pav.models.records import Doubt, Grading, Prefix, Problem


class Domain(Protocol):
    """What the rest of `pav` needs to know of a family of problems. Pure and picklable."""

    # The name of its entry in `DOMAINS`; each of its problems has that name as `Problem.domain`.
    name: str
    # A step ends with this text; a response's last step ends where the policy stops. Empty where
    # no one text ends a step: such responses are sampled whole, never step by step.
    delimiter: str
    # Whether all whole responses to a problem have the same number of steps. If so, their chances
    # can be compared as they are; otherwise a longer response is less likely for its length alone.
    equal_lengths: bool
    # The settings that say where a response's answer stands; empty where a response that cannot
    # be read is wrong by itself.
    answer_settings: str

    @property
    def step_settings(self) -> str:
        """The settings that cut a response, with their values; empty where none does."""
        ...

    def problem(self, question: str, answer: str, *, problem_id: str, split: str) -> Problem:
        """Return the checked problem with its canonical key; InputError says what is wrong."""
        ...

    def unanswered(self, question: str, *, problem_id: str, split: str) -> Problem:
        """Return a problem whose answer nobody knows; InputError where the domain has none such."""
        ...

    def prompt(self, problem: Problem) -> str:
        """Return the text a policy sees before the first step."""
        ...

    def split_steps(self, text: str) -> tuple[str, ...]:
        """Cut a response into steps; joined they are the text again."""
        ...

    def ends_step(self, step: str) -> bool:
        """Return whether a step is whole; what a token limit cut off within a step is not."""
        ...

    def grade(self, problem: Problem, prefix: Prefix) -> Grading | Doubt:
        """Check a whole response (`prefix.is_finished` False means it was cut off)."""
        ...

    def answer_key(self, response: Prefix) -> str | None:
        """Return the same text for equal answers of finished responses; None without an answer.

        Votes are counted by this text, so it must not depend on what is right.
        """
        ...

    def contradicts(self, problem: Problem, other: Problem) -> bool:
        """Return whether the answers of two problems with one canonical key surely differ."""
        ...

    def rephrasings(self, problem: Problem) -> Sequence[Problem]:
        """Return the same problem asked in several ways, as given first; answers stay the same."""
        ...

    def described(self, questions: Sequence[str], answers: Sequence[str]) -> str:
        """Return in words what a problem asks, when a solution is right and what a step is.

        The report shows the sentences to readers who have never seen the domain.
        """
        ...
