"""Domain `countdown`: reach a target from numbers, using each once; one step a line."""

from collections.abc import Sequence
from random import Random

from pav.models.domains.countdown.formula import formula
from pav.models.domains.countdown.moves import Number, State
from pav.models.domains.countdown.question import hand_of, parse_question, parse_target, target_of
from pav.models.domains.countdown.solver import is_solvable
from pav.models.domains.countdown.text import CANNOT_READ, check_step
from pav.models.errors import InputError, shown
from pav.models.hashing import stream_key
from pav.models.records import Grading, Prefix, Problem, Verdict

# Orders of its numbers in which a hand is asked, besides its own.
_NUM_ORDERS = 8


class Countdown:
    """Hands such as `4 9 10 13` with a target; steps such as `13 - 9 = 4 left 4 4 10`."""

    name: str = "countdown"
    delimiter: str = "\n"
    equal_lengths: bool = True
    answer_settings: str = ""
    step_settings: str = ""

    def problem(self, question: str, answer: str, *, problem_id: str, split: str) -> Problem:
        """Return the checked problem; an empty `problem_id` becomes the canonical key."""
        numbers = parse_question(question)
        target = parse_target(answer)
        key = f"{self.name}:{' '.join(map(str, sorted(numbers)))}={target}"
        return Problem(
            problem_id=problem_id or key,
            domain=self.name,
            question=" ".join(map(str, numbers)),
            answer=str(target),
            split=split,
            canonical_key=key,
        )

    def unanswered(self, question: str, *, problem_id: str, split: str) -> Problem:
        """Raise InputError: the answer, the target, is half of the problem."""
        raise InputError(f"answer: expected the target of {shown(question)}, got none")

    def prompt(self, problem: Problem) -> str:
        """Return e.g. `4 9 10 13 -> 24` and a newline."""
        return f"{problem.question} -> {problem.answer}\n"

    def split_steps(self, text: str) -> tuple[str, ...]:
        """Cut a response after each newline; joined, the steps are the text again."""
        parts = text.split(self.delimiter)
        steps = [part + self.delimiter for part in parts[:-1]]
        return (*steps, parts[-1]) if parts[-1] else tuple(steps)

    def ends_step(self, step: str) -> bool:
        """Return whether a step is whole."""
        return step.endswith(self.delimiter)

    def grade(self, problem: Problem, prefix: Prefix) -> Grading:
        """Check a whole response; `wrong_step` is its first illegal step, or the wrong result's."""
        if not prefix.is_finished:
            _, wrong_step, error = _walk(problem.question, _complete(prefix.steps))
            return Grading(Verdict.TRUNCATED, "cut off", wrong_step if error else None)
        left, step, error = _walk(problem.question, prefix.steps)
        if left is None:
            if error == CANNOT_READ:
                return Grading(Verdict.UNPARSED, f"{error} step {step}", step)
            return Grading(Verdict.WRONG, f"{error} at step {step}", step)
        if len(left) > 1:
            return Grading(Verdict.WRONG, "unfinished")
        if left[0] != target_of(problem.answer):
            return Grading(Verdict.WRONG, "wrong result", step)
        return _CORRECT

    def answer_key(self, response: Prefix) -> str | None:
        """Return the formula; the result says nothing, as all right responses share it."""
        return formula(response.steps)

    def contradicts(self, problem: Problem, other: Problem) -> bool:
        """Return False: the answer of a hand, its target, is part of its canonical key."""
        return False

    def rephrasings(self, problem: Problem) -> Sequence[Problem]:
        """Return the hand in several orders, as given first."""
        random = Random(stream_key("orders", problem.canonical_key))
        numbers = parse_question(problem.question)
        orders = [numbers, *(shuffled(numbers, random) for _ in range(_NUM_ORDERS))]
        return [self.asked(order, problem.answer, problem) for order in dict.fromkeys(orders)]

    def described(self, questions: Sequence[str], answers: Sequence[str]) -> str:
        """Return the rules of the game with the sizes of the hands and the target."""
        sizes = sorted({len(question.split()) for question in questions})
        targets = sorted(set(answers))
        target = f"the number {targets[0]}" if len(targets) == 1 else "its target number"
        return (
            f"Each problem gives {' or '.join(map(str, sizes))} numbers (the game of Countdown). A "
            f"solution combines them to {target} by +, \N{MINUS SIGN}, \N{MULTIPLICATION SIGN} and "
            "\N{DIVISION SIGN}, each number used once. One operation is one line, and each line is "
            "a step."
        )

    def asked(self, numbers: Sequence[Number], answer: str, like: Problem) -> Problem:
        """Return numbers in this order with a target, in the split of another problem."""
        question = " ".join(map(str, numbers))
        name = f"{question}={answer}"
        return self.problem(question, answer, problem_id=name, split=like.split)


_CORRECT = Grading(Verdict.CORRECT)


def shuffled(numbers: Sequence[int], random: Random) -> tuple[int, ...]:
    """Return the numbers in an order drawn from `random`."""
    return tuple(random.sample(numbers, len(numbers)))


def state_after(problem: Problem, steps: Sequence[str]) -> State | None:
    """Return the numbers left after the steps, ascending, or None if any step is wrong."""
    return _walk(problem.question, tuple(steps))[0]


def is_solvable_prefix(problem: Problem, prefix: Prefix) -> bool:
    """Return whether a correct response starts with this prefix.

    A finished prefix must itself be correct; one cut off within a step cannot be continued.
    """
    if prefix.is_finished:
        return Countdown().grade(problem, prefix).verdict == Verdict.CORRECT
    if _complete(prefix.steps) != prefix.steps:
        return False
    left = state_after(problem, prefix.steps)
    return left is not None and is_solvable(left, target_of(problem.answer))


def fault(problem: Problem, prefix: Prefix) -> str:
    """Return why no correct response starts with a prefix; empty where one does."""
    if is_solvable_prefix(problem, prefix):
        return ""
    is_legal = state_after(problem, prefix.steps) is not None
    return "target out of reach" if is_legal else "illegal step"


def _walk(question: str, steps: tuple[str, ...]) -> tuple[State | None, int, str]:
    """The numbers left, the last step looked at (1-based) and its error."""
    available = hand_of(question)
    # A policy that ends right after a newline leaves an empty last step.
    if steps and not steps[-1]:
        steps = steps[:-1]
    for index, step in enumerate(steps, start=1):
        left, error = check_step(available, step)
        if left is None:
            return None, index, error
        available = left
    return available, len(steps), ""


def _complete(steps: tuple[str, ...]) -> tuple[str, ...]:
    return steps if not steps or steps[-1].endswith(Countdown.delimiter) else steps[:-1]
