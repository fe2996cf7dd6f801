"""Which problems the embedded policies learn from: a leak here is a leak everywhere."""

import pytest

from pav.models.domains import domain
from pav.models.policy.embedded import build_tokenizer
from pav.tasks.prepare.exercises import corpora, make_exercises

TOKENIZER = build_tokenizer()


def of_split(split, *asked):
    family = domain("countdown")
    return [family.problem(*each, problem_id=f"{split} {each}", split=split) for each in asked]


TRAIN = of_split("train", ("1 2 3 4", "24"), ("6 6 6 6", "24"))
# Exercises of the first training problem, each in another order of its numbers.
OTHERS = [each.answer for each in make_exercises("countdown", TRAIN[:1], []) if each.answer != "24"]


def asked_by(corpus):
    """Return the numbers, in order of size, and target of every prompt of a corpus."""
    texts = [TOKENIZER.decode(prompt).strip().split(" -> ") for prompt in corpus.prompts]
    return {(tuple(sorted(map(int, numbers.split()))), target) for numbers, target in texts}


def made_of(problems):
    return corpora("countdown", problems, TOKENIZER, tell=lambda text: None)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_no_exercise_of_a_training_problem_is_a_problem_held_out(split):
    before, _ = made_of(TRAIN)
    after, _ = made_of([*TRAIN, *of_split(split, ("4 3 2 1", OTHERS[0]))])
    assert asked_by(before) - asked_by(after) == {((1, 2, 3, 4), OTHERS[0])}
    assert asked_by(after) < asked_by(before)


def test_a_policy_learns_from_training_problems_and_is_looked_at_on_validation_problems():
    held_out = of_split("validation", ("2 3 4 12", "24")), of_split("test", ("2 4 6 12", "24"))
    train, validation = made_of([*TRAIN, *held_out[0], *held_out[1]])
    assert {numbers for numbers, _ in asked_by(train)} == {(1, 2, 3, 4), (6, 6, 6, 6)}
    assert asked_by(validation) == {((2, 3, 4, 12), "24")}
