import pytest

from pav.models.domains.math.forms import normal_form
from pav.models.domains.math.lists import MOST_PARTS, parts_of, same_parts

VALUES = {"x+11": "11+x", "25/13": "1 12/13"}


def is_same(one, other):
    """Equal texts, or two that are listed as one value."""
    return normal_form(one) == normal_form(other) or VALUES.get(one) == other


def same(gold, answer):
    return same_parts(parts_of(gold), parts_of(answer), is_same)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1, 2, 3", "3,1,2"), ("n=1,2,3", "1, 2, 3"), ("x=1, x=2", "1,2"), (r"\{1,2\}", "2,1"),
        ("1 and 2", "1, 2"), (r"1 \text{ or } 2", "2,1"), ("(1,2)", "(1, 2)"), (r"\pm 3", "3,-3"),
        (r"2 \pm \sqrt{5}", r"2-\sqrt{5}, 2+\sqrt{5}"), ("x = 5", "5"), (r"x \in (1,2)", "(1,2)"),
        ("1,234", "1,234"), ("3,3", "3, 3"), ("x+11", "x+11, 11+x"), ("(1,2),(3,4)", "(3,4),(1,2)"),
    ],
)  # fmt: skip
def test_the_same_parts_are_the_same_answer(gold, answer):
    assert same(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("n=1,2,3", "n=2,3,4"), ("1,2", "1,2,3"), ("1,2,3", "1,2"), ("(1,2)", "(2,1)"),
        ("3", "3,4"),
        ("[1,2)", "[1,2]"), ("(1,2)", "[1,2]"), ("x=5", "y=5"), ("3,3", "3"), ("1,1,2", "1,2,2"),
        ("(1,2)", "1,2"), ("100,200", "100200"), (r"\{1,2\}", "(1,2)"),
    ],
)  # fmt: skip
def test_other_parts_or_another_order_within_brackets_is_another_answer(gold, answer):
    assert not same(gold, answer)


def test_a_very_long_list_is_not_compared():
    long = ",".join(["x"] * (MOST_PARTS + 1))
    assert not same(long, long)
