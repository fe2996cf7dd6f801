"""A domain of sums: `3 5 9 ->` is answered by `3 + 5 = 8` and `8 + 9 = 17`, a line a step."""

from itertools import product

from toy_settings import ToySettings

from pav.models.domains.kind import DomainKind, EmbeddedGroup
from pav.models.errors import InputError, shown
from pav.models.records import Grading, Problem, Verdict


class Sums:
    """Two or three numbers, added from left to right."""

    name = "toy"
    delimiter = "\n"
    equal_lengths = True
    answer_settings = ""
    step_settings = ""

    def __init__(self, *, mark="->"):
        self._mark = mark

    def problem(self, question, answer, *, problem_id, split):
        numbers = question.split()
        if not all(map(str.isdecimal, numbers)) or len(numbers) not in (2, 3):
            raise InputError(f"question: expected two or three numbers, got {shown(question)}")
        if answer != str(sum(map(int, numbers))):
            raise InputError(f"answer: expected the sum of {question}, got {shown(answer)}")
        key = f"toy:{' '.join(numbers)}"
        return Problem(problem_id or key, "toy", " ".join(numbers), answer, split,
                       canonical_key=key)  # fmt: skip

    def unanswered(self, question, *, problem_id, split):
        raise InputError(f"answer: expected the sum of {shown(question)}, got none")

    def prompt(self, problem):
        return f"{problem.question} {self._mark}\n"

    def split_steps(self, text):
        return tuple(text.splitlines(keepends=True))

    def ends_step(self, step):
        return step.endswith("\n")

    def grade(self, problem, prefix):
        if not prefix.is_finished:
            return Grading(Verdict.TRUNCATED, "cut off")
        if reason := fault(problem, prefix):
            expected = solution(problem.question)
            pairs = enumerate(zip(prefix.steps, expected, strict=False), start=1)
            wrong = next((step for step, (got, right) in pairs if got != right), None)
            return Grading(Verdict.WRONG, reason, wrong)
        return Grading(Verdict.CORRECT)

    def answer_key(self, response):
        return response.text.rpartition("= ")[2].strip() or None

    def contradicts(self, problem, other):
        return problem.answer != other.answer

    def rephrasings(self, problem):
        return [problem]

    def described(self, questions, answers):
        return "Each problem is a sum of two or three numbers. Each addition is a line and a step."


def solution(question):
    """Return the right steps, of which there is one sequence."""
    total, *others = map(int, question.split())
    steps = []
    for number in others:
        steps.append(f"{total} + {number} = {total + number}\n")
        total += number
    return (*steps[:-1], steps[-1].rstrip())


def fault(problem, prefix):
    """The solver: what rules out a right sum after a prefix."""
    right = solution(problem.question)
    if prefix.is_finished:
        return "" if prefix.steps == right else "wrong sum"
    return "" if prefix.steps == right[:-1][: len(prefix.steps)] else "wrong sum"


class EmbeddedSums:
    """Every sum of numbers up to the setting."""

    def __init__(self, sums):
        pass

    def parameters(self, settings):
        return {"highest": settings.plugins.of(ToySettings).highest}

    def groups(self, parameters):
        numbers = range(1, parameters["highest"] + 1)
        questions = [
            " ".join(map(str, each)) for n in (2, 3) for each in product(numbers, repeat=n)
        ]
        return [
            EmbeddedGroup(f"toy:{question}", [(question, str(sum(map(int, question.split()))))])
            for question in questions
        ]


class SumLessons:
    """Each sum with its only solution."""

    def __init__(self, sums):
        pass

    def parameters(self, settings):
        return {}

    def exercises(self, problem):
        return [problem]

    def demonstrations(self, problem, *, limit, num_drawn, seed):
        return [solution(problem.question)][:limit]


TOY = DomainKind(
    make=Sums,
    options=lambda settings: {"mark": settings.plugins.of(ToySettings).mark},
    solver=lambda sums: fault,
    embedded=EmbeddedSums,
    lessons=SumLessons,
)
