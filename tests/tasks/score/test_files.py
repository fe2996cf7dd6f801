"""Whatever stands in a file, `pav score` reads it or names the bad rows: no error is a surprise."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.tasks.score.files import FIELDS, read_rows
from pav.tasks.score.verifier import load_verifier
from tests.untrained_verifier import untrained

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["1 3 20", "24", "stop", "3 - 1 = 2 left 2 20"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)  # fmt: skip
rows = st.dictionaries(st.sampled_from(FIELDS), values)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    return load_verifier(untrained(tmp_path_factory.mktemp("verifier"), ["q"]), device="cpu")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(row=rows)
def test_any_row_is_a_solution_or_is_named_by_its_line(verifier, tmp_path, row):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    message = ""
    try:
        found = read_rows(str(path), verifier)
    except InputError as error:
        found, message = [], str(error)
    scores = verifier.score_all([each.solution for each in found])
    for each, read in zip(scores, found, strict=True):
        assert len(each.steps) == len(read.solution.steps) > 0
    assert bool(found) == ("line 1: " not in message)


def test_text_that_is_no_unicode_is_a_bad_row(verifier, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "\\ud800", "steps": ["a"]}\n')
    with pytest.raises(InputError, match="line 1: "):
        read_rows(str(path), verifier)
