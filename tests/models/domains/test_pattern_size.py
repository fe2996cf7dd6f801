import pytest

from pav.models.domains.math.answers import AnswerRule, compile_pattern, find_answer
from pav.models.domains.pattern_size import MOST_PIECES, num_pieces
from pav.models.errors import InputError


@pytest.mark.parametrize(("pattern", "size"), [
    ("abc", 3), ("a{3}", 3), ("(ab)", 3), ("(ab){10}", 30), ("((a{2}){3}){4}", 40),
    (r"\{1000\}", 6), ("a{2,}b{0,9}", 3), (r"(\d{1,3})", 2), ("", 0), (")", 1), ("{5}", 1),
])  # fmt: skip
def test_what_must_stand_several_times_counts_as_often(pattern, size):
    assert num_pieces(pattern) == size


BOMBS = {
    "one number": "(a{1000000000})",
    "numbers of numbers": "(" + "(?:" * 30 + "a" + "){2}" * 30 + ")",
    "a number of many digits": "(a{" + "9" * 900 + "})",
    "a number of groups": "(?:(?:ab){1000}){1000}(c)",
}


@pytest.mark.parametrize("pattern", BOMBS.values(), ids=BOMBS)
def test_a_pattern_that_would_take_long_to_compile_is_refused_first(pattern):
    with pytest.raises(InputError, match=f"problems.answer_pattern: .*{MOST_PIECES:,} pieces"):
        compile_pattern(pattern)


def test_a_pattern_of_nested_groups_is_refused_with_one_short_line():
    with pytest.raises(InputError, match="nested too deeply") as caught:
        compile_pattern("(" + "(?:" * 240 + "a" + ")" * 240 + ")")
    assert len(str(caught.value)) < 400
    with pytest.raises(InputError, match="at most 1000 characters, got 10,000"):
        compile_pattern("(" * 5000 + ")" * 5000)


def test_usual_patterns_are_taken():
    for pattern in (r"^A: (.*)", r"[Tt]he answer is:? (-?\d{1,12}(?:,\d{3})*(?:\.\d{1,10})?)"):
        assert compile_pattern(pattern)
    rule = AnswerRule("pattern", r"= (\d{1,12})$")
    assert find_answer("x = 12", rule).answer == "12"
