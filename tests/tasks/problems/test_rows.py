import json

import pytest

from pav.models.errors import InputError
from pav.tasks.problems.json_rows import MOST_LEVELS, json_object
from pav.tasks.problems.rows import file_rows, refuse_bad_rows


def refused(text):
    with pytest.raises(InputError) as caught:
        json_object(text)
    return str(caught.value)


def test_a_key_that_stands_twice_is_refused_also_within():
    assert refused('{"answer": 1, "answer": 2}') == "the key 'answer' stands twice; remove one"
    assert "'b' stands twice" in refused('{"a": [{"b": 1, "c": 2, "b": 1}]}')


def test_half_a_character_is_refused_with_its_field():
    message = refused('{"answer": "4", "question": "\\ud800"}')
    assert message.startswith("'question': expected text, got '\\ud800' in it")
    assert "'a'" in refused('{"a": [{"b": "x\\udfff"}]}')
    assert "half a character" in refused('{"\\ud800": 1}')


def test_both_halves_are_a_character():
    assert json_object('{"question": "\\ud83d\\ude00"}') == {"question": "\U0001f600"}


def test_a_row_may_be_deep_but_not_endless():
    def nested(depth):
        return '{"a": ' + "[" * depth + "]" * depth + "}"

    assert json_object(nested(MOST_LEVELS - 5))
    assert f"at most {MOST_LEVELS} levels" in refused(nested(MOST_LEVELS + 5))
    assert "recursion" in refused(nested(100_000))


def test_a_row_with_many_flat_lists_is_not_deep():
    assert len(json_object(json.dumps({"a": [[]] * 5000}))["a"]) == 5000


def test_a_column_that_stands_twice_is_refused_with_its_line():
    data = b"question,answer,answer\n1 2,3,4\n"
    with pytest.raises(InputError, match=r"rows\.csv: line 1: the column 'answer' stands twice"):
        list(file_rows("rows.csv", data, required=("question", "answer"), optional=()))


def test_columns_without_a_name_may_be_several():
    data = b"question,answer,,\n1 2,3,,\n"
    [row] = file_rows("rows.csv", data, required=("question", "answer"), optional=())
    assert (row.line, row.fields["answer"]) == (2, "3")


def test_a_message_on_a_row_is_cut():
    with pytest.raises(InputError) as caught:
        refuse_bad_rows("rows.csv", [(1, "x" * 100_000)])
    assert len(str(caught.value)) < 1200
