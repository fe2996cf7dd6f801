import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.domains.math_answers import (
    LAST_OF_SEVERAL,
    NO_ANSWER,
    SEVERAL,
    AnswerRule,
    Found,
    find_answer,
)
from pav.models.errors import InputError

ANY = AnswerRule("any")
A_LINE = AnswerRule("pattern", r"^A: (.*)")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("16 - 3 = 13\n#### 1,018", "1,018"),
        ("####18", "18"),
        (r"so \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed {7}", "7"),
        (r"\fbox{7}", "7"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{a_{b_{c}}} done }", "a_{b_{c}}"),
        (r"\boxed{\boxed{5}}", r"\boxed{5}"),
        (r"#### \boxed{5}", "5"),
        (r"#### So \boxed{5} it is", "5"),
        ("#### 5\n", "5"),
        ("**#### 5**", "5**"),
    ],
)
def test_the_marked_answer_is_found(text, answer):
    assert find_answer(text, ANY) == Found(answer)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NO_ANSWER),
        ("The answer is 18.", NO_ANSWER),
        ("18", NO_ANSWER),
        ("####", f"{NO_ANSWER}: the mark is empty"),
        (r"\boxed{}", f"{NO_ANSWER}: the mark is empty"),
        (r"\boxed{5} then \boxed{6", NO_ANSWER + r": a \boxed{ is never closed"),
        (r"\boxed 5", NO_ANSWER),
    ],
)
def test_no_answer_has_its_reason(text, reason):
    assert find_answer(text, ANY) == Found(None, reason)


def test_the_last_of_several_lines_counts_and_is_noted():
    text = "\\boxed{3} at first.\nNo: \\boxed{4}."
    assert find_answer(text, ANY) == Found("4", LAST_OF_SEVERAL)
    assert find_answer("\\boxed{4}\n#### 4.0\n#### $4$", ANY).answer == "$4$"
    assert find_answer("\\boxed{4}\n#### $4$", ANY).reason == ""


def test_different_answers_on_the_last_line_are_one_answer_of_several_parts():
    assert find_answer(r"\boxed{3} or \boxed{4}", ANY) == Found("3, 4", SEVERAL)
    assert find_answer(r"\boxed{3}, that is \boxed{$3$}", ANY).reason == ""


def test_only_the_marks_of_the_rule_count():
    text = "\\boxed{1}\n#### 2\nA: 3"
    assert find_answer(text, AnswerRule("boxed")).answer == "1"
    assert find_answer(text, AnswerRule("hashes")).answer == "2"
    assert find_answer(text, A_LINE).answer == "3"
    assert find_answer(text, AnswerRule("any", r"^A: (.*)")).answer == "3"
    assert find_answer(text, ANY).answer == "2"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "expected a regular expression, got '\\('"),
        ("answer", "exactly one group, which holds the answer, got 0"),
        ("(a)(b)", "got 2"),
        ("", "regular expression with one group, got ''"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern, words):
    with pytest.raises(InputError, match=words):
        AnswerRule("pattern", pattern)


@given(st.text(alphabet="\\boxed{}# \n5A:"))
def test_any_text_has_an_answer_or_a_reason(text):
    found = find_answer(text, AnswerRule("any", r"^A: (.*)"))
    assert (found.answer is None) == found.reason.startswith(NO_ANSWER)


@pytest.mark.parametrize(
    "text", ["\\boxed{" * 20_000, "{" * 100_000, "####" * 30_000, "7" * 100_000]
)
def test_a_text_made_to_be_slow_is_read_in_one_pass(text):
    assert find_answer(f"{text}\n#### 5", AnswerRule("hashes")).answer == "5"
    find_answer(text, ANY)
