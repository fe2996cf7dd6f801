"""Domain `countdown`: reach a target from numbers, using each once; one step a line."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from random import Random

from pav.models.domains.countdown.draws import drawn_paths, search_together
from pav.models.domains.countdown.formula import formula
from pav.models.domains.countdown.moves import Number, Path, State
from pav.models.domains.countdown.solver import (
    MOST_LISTED,
    good_moves,
    is_searched,
    is_solvable,
    paths,
)
from pav.models.domains.countdown.text import CANNOT_READ, check_step, format_steps, parse_number
from pav.models.errors import InputError, shown
from pav.models.hashing import stream_key
from pav.models.records import Grading, Prefix, Problem, Verdict

FEWEST_NUMBERS = 2
MOST_NUMBERS = 6
HIGHEST_NUMBER = 10_000
HIGHEST_TARGET = 1_000_000
# Exercises of a hand: orders of its numbers, other targets, and how many of those are tried.
_NUM_ORDERS = 8
_NUM_TARGETS = 4
_NUM_TRIED = 16


class Countdown:
    """Hands such as `4 9 10 13` with a target; steps such as `13 - 9 = 4 left 4 4 10`."""

    name: str = "countdown"
    delimiter: str = "\n"
    equal_lengths: bool = True
    answer_settings: str = ""

    def problem(self, question: str, answer: str, *, problem_id: str, split: str) -> Problem:
        """Return the checked problem; an empty `problem_id` becomes the canonical key."""
        numbers = _parse_question(question)
        target = _parse_target(answer)
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
        if left[0] != _target(problem.answer):
            return Grading(Verdict.WRONG, "wrong result", step)
        return _CORRECT

    def answer_key(self, response: Prefix) -> str | None:
        """Return the formula: all right responses have one result, so that it tells nothing."""
        return formula(response.steps)

    def contradicts(self, problem: Problem, other: Problem) -> bool:
        """Return False: the answer of a hand, its target, is part of its canonical key."""
        return False

    def rephrasings(self, problem: Problem) -> Sequence[Problem]:
        """Return the hand in several orders, as given first."""
        random = Random(stream_key("orders", problem.canonical_key))
        numbers = _parse_question(problem.question)
        orders = [numbers, *(_shuffled(numbers, random) for _ in range(_NUM_ORDERS))]
        return [self._asked(order, problem.answer, problem) for order in dict.fromkeys(orders)]

    def exercises(self, problem: Problem) -> Sequence[Problem]:
        """Return a solvable hand in several orders, and in one order each with other targets.

        A policy that sees every hand sorted and one target only learns its hands by heart; orders
        and targets make it learn to copy and to reckon, and what it then gets wrong is what it
        pretends to reach.
        """
        numbers, target = _parse_question(problem.question), _parse_target(problem.answer)
        if not is_solvable(tuple(sorted(numbers)), target):
            return []
        random = Random(stream_key("exercises", problem.canonical_key))
        others = _other_targets(numbers, target, random)
        return [
            *self.rephrasings(problem),
            *(self._asked(_shuffled(numbers, random), str(other), problem) for other in others),
        ]

    def _asked(self, numbers: Sequence[Number], answer: str, like: Problem) -> Problem:
        question = " ".join(map(str, numbers))
        name = f"{question}={answer}"
        return self.problem(question, answer, problem_id=name, split=like.split)

    def demonstrations(
        self, problem: Problem, *, limit: int, num_drawn: int, seed: int
    ) -> Sequence[tuple[str, ...]]:
        """Return correct responses, as steps; the same for the same seed.

        Up to `limit` of them, or `num_drawn` where a hand has too many to list them.
        """
        numbers = tuple(sorted(_numbers(problem.question)))
        most = limit if len(numbers) <= MOST_LISTED else min(limit, num_drawn)
        return solution_paths(numbers, _target(problem.answer), limit=most, seed=seed)


_CORRECT = Grading(Verdict.CORRECT)


def _shuffled(numbers: Sequence[int], random: Random) -> tuple[int, ...]:
    return tuple(random.sample(numbers, len(numbers)))


def _other_targets(numbers: Sequence[int], target: Number, random: Random) -> list[int]:
    """Return a few other targets up to twice the target that a hand reaches, as drawn."""
    state = tuple(sorted(numbers))
    highest = max(2, int(2 * abs(Fraction(target))))
    drawn = random.sample(range(1, highest + 1), k=min(_NUM_TRIED, highest))
    if is_searched(state, max(highest, target)):
        # Most of the first few are reached.
        search_together(state, [target, *drawn[: _NUM_TARGETS + 1]])
    reached = (each for each in drawn if each != target and is_solvable(state, each))
    return list(islice(reached, _NUM_TARGETS))


def solution_paths(
    numbers: State, target: Number, *, limit: int, seed: int
) -> tuple[tuple[str, ...], ...]:
    """Return up to `limit` distinct solutions as text steps, in an order drawn by the seed.

    Sums and products name the larger number first, and subtractions stay at or above 0 where
    the target does. Hands of up to four numbers draw evenly from all their paths. Larger ones draw
    formulas evenly, then one of the orders of each formula's lines.
    """
    if not is_solvable(numbers, target):
        return ()
    if len(numbers) > MOST_LISTED:
        found = _drawn_paths(numbers, target, limit=limit, seed=seed)
        return tuple(map(format_steps, found))
    texts = map(format_steps, paths(numbers, target, non_negative=target >= 0))
    return tuple(sorted(texts, key=lambda steps: (stream_key(seed, *steps), steps))[:limit])


def _drawn_paths(numbers: State, target: Number, *, limit: int, seed: int) -> list[Path]:
    random = Random(stream_key("paths", seed, str(numbers), str(target)))
    if is_searched(numbers, target):
        return drawn_paths(numbers, target, limit=limit, random=random)
    # Too large for exact arrays: each move is drawn evenly from those that lead to the target.
    found: dict[Path, None] = {}
    for _ in range(4 * limit):
        left, path = numbers, []
        while len(left) > 1:
            move = random.choice(good_moves(left, target, non_negative=target >= 0))
            left = move.left
            path.append(move)
        found[tuple(path)] = None
        if len(found) == limit:
            break
    return list(found)


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
    return left is not None and is_solvable(left, _target(problem.answer))


def first_error(problem: Problem, steps: Sequence[str]) -> int | None:
    """Return the 1-based step that is wrong or puts the target out of reach, or None.

    0 where the problem itself has no solution.
    """
    for num_steps in range(len(steps) + 1):
        left = state_after(problem, steps[:num_steps])
        if left is None or not is_solvable(left, _target(problem.answer)):
            return num_steps
    return None


def _walk(question: str, steps: tuple[str, ...]) -> tuple[State | None, int, str]:
    """The numbers left, the last step looked at (1-based) and its error."""
    available = _hand(question)
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


def _numbers(question: str) -> tuple[int, ...]:
    return tuple(int(number) for number in question.replace(",", " ").split())


@lru_cache(maxsize=1 << 14)
def _hand(question: str) -> State:
    return tuple(sorted(_numbers(question)))


@lru_cache(maxsize=1 << 12)
def _target(answer: str) -> Number:
    return parse_number(answer)


def _parse_question(question: str) -> tuple[int, ...]:
    expected = (
        f"question: expected {FEWEST_NUMBERS} to {MOST_NUMBERS} whole numbers from 1 to "
        f"{HIGHEST_NUMBER}, separated by spaces or commas, got {shown(question)}"
    )
    words = question.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) <= 6 for word in words):
        raise InputError(expected)
    numbers = tuple(map(int, words))
    is_sane = all(1 <= number <= HIGHEST_NUMBER for number in numbers)
    if not is_sane or not FEWEST_NUMBERS <= len(numbers) <= MOST_NUMBERS:
        raise InputError(expected)
    return numbers


def _parse_target(answer: str) -> Number:
    try:
        target = parse_number(answer.strip())
    except ValueError as error:
        raise InputError(f"answer: {error}") from None
    if not -HIGHEST_TARGET <= target <= HIGHEST_TARGET:
        raise InputError(
            f"answer: expected a target from -{HIGHEST_TARGET} to {HIGHEST_TARGET}, got "
            f"{shown(answer)}"
        )
    return target
