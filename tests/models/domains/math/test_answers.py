import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.domains.math.answers import (
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
    assert find_answer(text, AnswerRule("any", r"B: (.*)")).answer == "3"
    assert find_answer(text, AnswerRule("signs")).answer == "2"


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


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("16 - 3 - 4 = 9, and 9 * 2 = 18. The answer is 18.", "18"),
        ("So the answer is 1,018.50 dollars.", "1,018.50 dollars"),
        ("Thus the answer is $18$.\n", "$18$"),
        ("The final answer is: 18", "18"),
        ("The correct answer is -3/4", "-3/4"),
        ("The answer is $3! \\times 5!$ ways.", "$3! \\times 5!$ ways"),
        ("the answer is **18**.", "18"),
        ("**The answer is: 18.**", "18"),
        ("The answer is **$18**. I am sure.", "$18"),
        (
            "Final Answer: The final answer is $\\frac{1}{2}$. I hope it is correct.",
            "$\\frac{1}{2}$",
        ),
        ("The answer is 3.5 hours, because 7 / 2 = 3.5.", "3.5 hours"),
        ("The answer is 18, since nothing is left.", "18"),
        ("The final answer is:\n\n$$18$$", "$$18$$"),
        ("The answer is (B).", "(B)"),
        ('The answer is "18".', "18"),
        ("The answer is Evelyn.", "Evelyn"),
        ("The answer is no.", "no"),
        ("The answer is x = 5", "x = 5"),
        ("The answer is $x$ such that $x > 2$", "$x$ such that $x > 2$"),
        ("Answer: 18", "18"),
        ("ANSWER: 18 eggs", "18 eggs"),
        ("**Answer:** 18", "18"),
        ("**Answer**: 18", "18"),
        ("__Final answer:__ **18**", "18"),
        ("### Answer:\n\n18\n", "18"),
        ("We get 18. Answer: 18.", "18"),
        ("- **The answer:** 18", "18"),
        ("A: 18", "18"),
        ("  **A:** 18", "18"),
        ("A: 9 * 2 = 18 dollars\nThe answer is 18.", "18"),
        ("#### The answer is 18.", "18"),
        ("#### Answer: 18", "18"),
        (r"The answer is \boxed{18}.", "18"),
        (r"Answer: $\boxed{18}$", "18"),
    ],
)
def test_an_answer_announced_in_words_is_found(text, answer):
    assert find_answer(text, ANY).answer == answer


@pytest.mark.parametrize(
    "text",
    [
        "So she makes 9 * 2 = 18 dollars every day at the market.",
        "Now we check that the answer is correct.",
        "The answer is not 18.",
        "The answer is the number of eggs that are left, 18.",
        "The answer is in the form 18/k.",
        "The answer is what we get from 9 * 2.",
        "Answer: Let's think about 18 first.",
        "A: Janet sells 16 - 3 - 4 = 9 duck eggs every day.",
        "We may check our answer: 17 * 44 = 748.",
        "The final answer is positive, because both are negative.",
        "Question 3A: 18 eggs",
        "She said: a: 18",
        "My answer is 18 maybe",
        "the answers are 18 and 19",
        "An answer is 18.",
        "The answer is",
        "The answer is:",
        "Answer:\n",
        "The answer is ...",
        "The answer is " + "9 + " * 200,
    ],
)
def test_no_number_is_taken_out_of_running_text(text):
    assert find_answer(text, ANY) == Found(None, NO_ANSWER)


@pytest.mark.parametrize(
    ("text", "answer", "reason"),
    [
        ("The answer is 17. No, the answer is 18.", "18", LAST_OF_SEVERAL),
        ("\\boxed{17}\nThe answer is 18.", "18", LAST_OF_SEVERAL),
        ("The answer is 17.\n\\boxed{18}", "18", LAST_OF_SEVERAL),
        ("The answer is 17. \\boxed{18}", "18", LAST_OF_SEVERAL),
        ("#### 18\nThe answer is correct.", "18", ""),
        ("The answer is 18.\nCheck: 9 * 2 = 18, so the answer is right.", "18", ""),
        ("The answer is 18.\nA: $18$", "$18$", ""),
        ("\\boxed{3} or \\boxed{4}: the answer is 3.", "3", LAST_OF_SEVERAL),
    ],
)
def test_the_last_mark_counts_whatever_its_kind(text, answer, reason):
    assert find_answer(text, ANY) == Found(answer, reason)


def test_words_announce_nothing_to_the_other_rules():
    for rule in (AnswerRule("boxed"), AnswerRule("hashes"), AnswerRule("pattern", "^B: (.*)")):
        assert find_answer("The answer is 18.\nAnswer: 18", rule) == Found(None, NO_ANSWER)


def test_what_the_users_own_pattern_reads_is_read_by_it_alone():
    own = AnswerRule("any", r"^A: *([0-9]+) of [0-9]+$")
    assert find_answer("A: 18 of 20", own) == Found("18")
    assert find_answer("A: 18 of 20\nA: 7", own) == Found("7", LAST_OF_SEVERAL)
    # A pattern inside what words announce is the narrower mark.
    assert find_answer("The answer is 18 (or 20)", AnswerRule("any", r"is ([0-9]+)")) == Found("18")


@pytest.mark.parametrize("word", ["answer: ", "The answer is ", "A: ", "\nA: x", "answer is: \n"])
def test_a_text_full_of_announcements_is_read_in_proportion_to_its_length(word):
    find_answer(word * 20_000, AnswerRule("any", "x(y)"))
    assert find_answer(word * 20_000 + "\nThe answer is 5.", ANY).answer == "5"
