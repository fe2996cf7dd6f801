from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.domains.math.forms import (
    MOST_CHARACTERS,
    comparable,
    compare,
    normal_form,
    read_number,
)

SAME = [
    ("18", "18"), ("18", "18."), ("18", "$18"), ("18", r"\$18"), ("18", "$18$"), ("18", "18.00"),
    ("18", "+18"), ("-18", "\u221218"), ("1,018", "1018"), ("1018", "1{,}018"), ("18", "**18**"),
    ("10080", r"10,\!080"), ("50", "50%"), ("50\\%", "50"), ("50%", r"50\%"), ("0.5", ".5"),
    ("1/2", "0.5"), (r"\frac12", r"\dfrac{1}{2}"), (r"\frac{1}{2}", "1/2"), ("-1/2", r"-\frac12"),
    (r"\frac{2}{4}", r"\tfrac 1 2"), (r"\text{Evelyn}", "Evelyn"),
    (r"\left( 1, 2 \right)", "(1,2)"),
    (r"90^{\circ}", r"90^\circ"), ("x + 1", "x+1"), ("18", "\u200f18\u202c"), ("$-3", "-3"),
    (r"$\$1{,}000.00$", "1000"), ("18", "`18`"), ("18", "18**"),
]  # fmt: skip
DIFFERENT = [
    ("18", "118"), ("18", "1.8"), ("18", "-18"), ("1/2", "1/3"), ("0.5", "0.25"), ("3/4", "4/3"),
    ("1000", "1,001"), ("0", "1/1000"), ("73", "**37**"), ("18", "$81"),
    ("0.5", "0.5001"),
]  # fmt: skip
UNCERTAIN = [
    ("21/2", "2 1/2"), ("18", "5 million"), ("18", "1 8"), ("1/3", "0.333333"), ("0.5", "50%"),
    ("0.5", "0.5%"), ("18", ""), ("18", "x"), (r"2\frac12", "2.5"), ("1,23", "123"),
    ("1/0", "1/0.0"),
    ("18", "1\x008"), (r"\frac{1}{2004!}", r"\frac{1}{2006!}"), ("18", "$18$ or $19$"), ("", ""),
    ("2", "1.99999"), ("10", "10 000"), ("no t", "not"),
    ("0.5", "0.500099995"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "answer"), SAME)
def test_ways_to_write_one_answer_are_the_same(gold, answer):
    assert compare(gold, answer) is True
    assert compare(answer, gold) is True


@pytest.mark.parametrize(("gold", "answer"), DIFFERENT)
def test_different_numbers_differ(gold, answer):
    assert compare(gold, answer) is False
    assert compare(answer, gold) is False


@pytest.mark.parametrize(("gold", "answer"), UNCERTAIN)
def test_what_text_does_not_tell_is_left_open(gold, answer):
    assert compare(gold, answer) is None
    assert compare(answer, gold) is None


COUNTED = [
    ("18", "18 dollars"), ("18", "$18 dollars."), ("1200", "1,200 square feet"),
    ("-3/4", "-3/4 cups"), ("18", "18 eggs left"),
    ("2.5", "2.5 kg"), ("18.0", "18 dollars"),
]  # fmt: skip
CHANGED = [
    ("5", "5 million"), ("3", "3 dozen eggs"), ("3", "3 fourths"), ("2", "2 pi"), ("5", "5 or 6"),
    ("2", "2 x"), ("3", "3 less than 5"), ("101", "101 base two"), ("3", "3 point five"),
    ("50", "50 percent"), ("18", "19 dollars"), ("18", "18 of the big red apples"),
    ("18", "dollars 18"), ("1/2", "1 half"), ("18 dollars", "18"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "answer"), COUNTED)
def test_words_that_name_what_is_counted_change_no_number(gold, answer):
    assert compare(gold, answer) is True


@pytest.mark.parametrize(("gold", "answer"), CHANGED)
def test_words_that_may_change_a_number_are_left_open(gold, answer):
    assert compare(gold, answer) is None


@given(st.text(max_size=60))
def test_a_normal_form_is_its_own(text):
    once = normal_form(text)
    assert compare(once, once) is (True if normal_form(once) else None)


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_the_same_exactly_where_their_values_are(one, other):
    assert compare(str(one), str(other)) is (one == other)


@given(st.integers(-(10**12), 10**12))
def test_thousands_may_be_parted_by_commas(number):
    found = read_number(normal_form(f"{number:,}"))
    assert found is not None
    assert found.value == Fraction(number)


def test_an_answer_too_long_to_be_one_is_compared_as_it_stands():
    digits = "7" * (MOST_CHARACTERS + 1)
    assert compare(digits, digits) is True
    assert compare("7", digits) is False


@pytest.mark.parametrize("mark", ["$", "$$"])
def test_marks_around_nothing_are_no_empty_answer(mark):
    assert comparable(mark) != comparable("")
