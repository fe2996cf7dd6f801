from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.domains import domain
from pav.models.domains.countdown.formula import formula
from pav.models.records import Prefix


def key(name, text):
    family = domain(name)
    return family.answer_key(Prefix("p", family.split_steps(text), is_finished=True))


ONE = "12 / 4 = 3 left 3 3 5\n3 + 5 = 8 left 3 8\n3 * 8 = 24 left 24"
OTHER = "12 / 4 = 3 left 3 3 5\n5 + 3 = 8 left 3 8\n8 * 3 = 24 left 24"


def test_a_hands_answer_is_its_formula_whatever_the_order_of_its_numbers():
    assert key("countdown", ONE) == key("countdown", OTHER) == "(* (+ (* 12 ~4) 5) 3)"


def test_the_order_of_independent_steps_does_not_change_a_hands_answer():
    one = "2 * 6 = 12 left 1 5 12\n5 - 1 = 4 left 4 12\n12 + 4 = 16 left 16"
    other = "5 - 1 = 4 left 2 4 6\n6 * 2 = 12 left 4 12\n4 + 12 = 16 left 16"
    assert key("countdown", one) == key("countdown", other) == "(+ (* 2 6) 5 ~1)"


@given(st.permutations(["3", "-1", "8/3", "7"]), st.randoms(use_true_random=False))
def test_a_sums_order_and_brackets_do_not_change_its_formula(numbers, random: Random):
    """Numbers are added one to the next, or to the sum so far, in any order."""
    texts, pool = [], list(numbers)
    sums = {number: Fraction(number) for number in pool}
    while len(pool) > 1:
        a, b = (pool.pop(random.randrange(len(pool))) for _ in range(2))
        total = sums[a] + sums[b]
        sums[str(total)] = total
        pool.append(str(total))
        texts.append(f"{a} + {b} = {total} left {' '.join(pool)}\n")
    assert formula(texts) == "(+ -1 3 7 8/3)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a number that the hand does not have, and wrong arithmetic: answers all the same
        ("99 - 75 = 24 left 1 2 24\n", "(+ 99 ~75)"),
        ("2 * 2 = 5 left 5\n", "(* 2 2)"),
        ("1 - 9 = -8 left -8 3\n3 - -8 = 11 left 11", "(+ 3 9 ~1)"),
        ("8 / 2 = 4 left 4 6\n6 / 4 = 3/2 left 3/2", "(* 2 6 ~8)"),
        ("", None),
        ("\n", None),
        ("2 * 2 = 4 left 4\nso it is four", None),
    ],
)
def test_wrong_formulas_are_answers_and_what_cannot_be_read_is_none(text, expected):
    assert key("countdown", text) == expected


def test_different_formulas_of_one_hand_are_different_answers():
    texts = [f"6 {op} 2 = {r} left {r}" for op, r in (("+", 8), ("-", 4), ("*", 12), ("/", 3))]
    assert len({key("countdown", text) for text in texts}) == 4


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        ("So \n#### 18", "We get \\boxed{18.0}", True),
        ("#### $1,234", "#### 1234", True),
        (r"\boxed{\frac12}", "#### 0.5", True),
        (r"\boxed{1/2}", "#### 2", False),
        ("#### 50%", "#### 50", False),
        ("#### x+1", r"\boxed{x + 1}", True),
    ],
)
def test_a_worked_answers_key_is_its_final_answer(one, other, are_equal):
    assert (key("math", one) == key("math", other)) is are_equal


def test_a_worked_answer_that_gives_none_has_no_key():
    assert key("math", "I do not know.") is None
