import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.domains.math.steps import SEGMENTERS, segmenter
from pav.models.errors import InputError

# Pieces that the segmenters look for, so that random texts meet their rules often.
PIECES = st.sampled_from(
    ["a", "Mr. ", "3.5", ". ", "?\n", "\n", "\n\n", " ", "1. ", 'solve("""', '"""', ")", "```",
     "```py\n", "f('''", "'''", "\r", "\u2028", "é", "\x00", "\\boxed{", "}", "\t"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join))


@pytest.mark.parametrize("name", SEGMENTERS)
@given(text=TEXTS, num_words=st.integers(1, 5))
def test_steps_joined_are_the_text_and_none_is_empty(name, text, num_words):
    steps = segmenter(name, num_words=num_words).split(text)
    assert "".join(steps) == text
    assert all(steps)


@pytest.mark.parametrize("name", ["line", "paragraph", "sentence", "words"])
@given(text=TEXTS)
def test_all_steps_but_the_last_are_whole(name, text):
    chosen = segmenter(name, num_words=2)
    assert all(map(chosen.is_whole, list(chosen.split(text))[:-1]))


def cut(name, text, num_words=3):
    return list(segmenter(name, num_words=num_words).split(text))


def test_blank_lines_belong_to_the_line_before_them():
    assert cut("line", "a\n\n\nb\nc") == ["a\n\n\n", "b\n", "c"]
    assert cut("paragraph", "a\nb\n\nc\n\n\nd") == ["a\nb\n\n", "c\n\n\n", "d"]


def test_a_sentence_ends_neither_in_a_number_nor_after_a_title_or_an_item_number():
    text = "Mr. X has 3.5 cats. 2. Why? (He does.) See e.g. this.\nEnd"
    assert cut("sentence", text) == [
        "Mr. X has 3.5 cats. ", "2. Why? ", "(He does.) ", "See e.g. this.\n", "End",
    ]  # fmt: skip


def test_words_are_cut_with_the_white_space_after_them():
    assert cut("words", "  one two  three four\n") == ["  one two  three ", "four\n"]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ('So solve("""\na\n\nb\n""") is 5.\n', ['So solve("""\na\n\n', 'b\n""") is 5.\n']),
        ("f('''a\nb''')", ["f('''a\n", "b''')"]),
        ("Code:\n```python\nx = 1\nprint(x)\n```\nDone", ["Code:\n```python\nx = 1\n",
                                                          "print(x)\n```\nDone"]),
        ("no call\nat all", ["no call\nat all"]),
        ('solve("""\na\nb', ['solve("""\na\n', "b"]),
        ('solve("""""")', ['solve("""""")']),
        ("", []),
    ],
)  # fmt: skip
def test_the_steps_of_a_call_are_the_lines_inside_it(text, steps):
    assert cut("call", text) == steps


def test_only_line_and_paragraph_have_a_delimiter():
    found = {name: segmenter(name, num_words=1).delimiter for name in SEGMENTERS}
    assert found == {"line": "\n", "paragraph": "\n\n", "sentence": "", "words": "", "call": ""}


def test_an_unknown_segmenter_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"expected one of \['call', .*\], got 'page'"):
        segmenter("page", num_words=1)
