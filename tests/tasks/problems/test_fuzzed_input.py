"""Whatever stands in a user's file ends in rows or in one message, never in a traceback."""

import contextlib
import copy
import io
import json

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pav.models.domains import domain_key, domain_of
from pav.models.domains.math.answers import compile_pattern
from pav.models.errors import InputError
from pav.models.formats import FORMATS
from pav.models.formats.math_shepherd import TAG
from pav.models.records import Grading, Verdict
from pav.models.settings import RunSettings
from pav.tasks.grade.files import graded_lines, read_rows
from pav.tasks.problems.files import parse_problems
from pav.tasks.problems.solution_files import read_imported

MOST_CHARACTERS = 25_000
NODE = {"text": "A", "mc_value": 0.5, "children": [{"text": "B", "mc_value": 1, "children": []}]}
RATED = {"text": "A", "rating": 1, "flagged": False}
ROWS = {
    "plain": {"question": "Q?", "response": "A\nB", "steps": ["A\n", "B"], "answer": "4",
              "answer_source": "human", "problem_id": "1", "split": "train", "source": "s",
              "policy": "p", "finish_reason": "stop"},
    "math-shepherd": {"input": f"Q? Step 1: A {TAG}\nStep 2: B {TAG}",
                      "label": "Q? Step 1: A +\nStep 2: B -", "task": "GSM8K"},
    "prm800k": {"labeler": "x", "question": {"problem": "Q?", "ground_truth_answer": "4"},
                "label": {"finish_reason": "solution", "steps": [
                    {"completions": [RATED, RATED], "chosen_completion": 0,
                     "human_completion": None},
                    {"completions": [RATED], "chosen_completion": None,
                     "human_completion": RATED}]}},
    "omegaprm": {"question": "Q?", "final_answer": "4", "reasoning_steps": [
        {"solution_prefix": "Q?A", "mc_value": 0.5}, {"solution_prefix": "Q?AB", "mc_value": 1}]},
    "omegaprm-tree": {"question": "Q?", "final_answer": "4",
                      "reasoning_steps": {**NODE, "text": "Q?"}},
    "prmbench": {"original_question": "Q?", "modified_question": "R?", "error_steps": [2],
                 "original_process": ["A", "B"], "modified_process": ["A", "C"]},
    "processbench": {"problem": "Q?", "steps": ["A", "B"], "label": 1, "generator": "p",
                     "final_answer_correct": True},
}  # fmt: skip
GRADED = {"question": "Q?", "answer": "4", "response": "#### 4", "expected": True,
          "finish_reason": "stop"}  # fmt: skip
PROBLEM = {"question": "Q?", "answer": "#### 4", "problem_id": "1", "split": "train",
           "answer_source": "human"}  # fmt: skip
ODD_TEXT = st.sampled_from(
    ["", " ", "\0", "\ud800", TAG, "Step 1:", "#### 4", r"\boxed{", "\x85", "\r\n", "a" * 5000]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | ODD_TEXT
    | st.sampled_from([10**400, -1, 1e308, {"text": "A"}, [[]] * 3, [RATED], [NODE]])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
MATH = RunSettings(problems={"domain": "math"})
KEYS = {"math": domain_key(MATH), "countdown": "countdown"}
OFTEN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def damaged(draw, row):
    """A row with one to three of its values, wherever they are, replaced or left out."""
    row = copy.deepcopy(row)
    for _ in range(draw(st.integers(1, 3))):
        owner, key = row, draw(st.sampled_from(sorted(row)))
        while isinstance(owner[key], dict | list) and owner[key] and draw(st.booleans()):
            owner = owner[key]
            keys = sorted(owner) if isinstance(owner, dict) else range(len(owner))
            key = draw(st.sampled_from(list(keys)))
        if draw(st.booleans()) and isinstance(owner, dict) and len(owner) > 1:
            del owner[key]
        else:
            # Some values are drawn as they are and not made: the next draw must find them whole.
            owner[key] = copy.deepcopy(draw(VALUES))
    return row


def as_bytes(text):
    return text.encode(errors="replace")


def lines_of(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


@contextlib.contextmanager
def read_or_refused():
    """Let one message pass that a person can read, and nothing else."""
    try:
        yield
    except InputError as error:
        if len(str(error)) > MOST_CHARACTERS:
            raise AssertionError("a message of too many characters") from error


def read_all(tmp_path, data, form):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    for key in KEYS.values():
        with read_or_refused():
            assert read_imported(str(path), form=form, domain_key=key, asked_by="FILE").solutions


def test_every_format_has_a_row_that_is_read_as_it_stands(tmp_path):
    assert sorted(ROWS) == sorted(FORMATS)
    for form, row in ROWS.items():
        path = tmp_path / "rows.jsonl"
        path.write_bytes(lines_of([row]))
        file = read_imported(str(path), form=form, domain_key=KEYS["math"], asked_by="FILE")
        assert file.solutions, form


@pytest.mark.parametrize("form", ROWS)
def test_a_damaged_row_of_any_format_is_read_or_refused(tmp_path, form):
    @OFTEN
    @given(st.lists(damaged(ROWS[form]), min_size=1, max_size=3))
    def holds(rows):
        read_all(tmp_path, lines_of(rows), form)

    holds()


@OFTEN
@given(st.binary(max_size=200) | st.text(max_size=200).map(as_bytes), st.sampled_from(sorted(ROWS)))
def test_any_bytes_are_refused_in_every_format(tmp_path, data, form):
    read_all(tmp_path, data, form)


@OFTEN
@given(st.lists(damaged(PROBLEM), min_size=1, max_size=3), st.sampled_from(["math", "countdown"]))
def test_damaged_problems_are_read_or_refused(rows, domain):
    family = domain_of(RunSettings(problems={"domain": domain}))
    with read_or_refused():
        assert parse_problems("rows.jsonl", lines_of(rows), family=family).problems


@OFTEN
@given(st.text(alphabet="question,answer\n\"' \r\0;é4", max_size=120) | st.text(max_size=80))
def test_any_table_of_problems_is_read_or_refused(text):
    for head in ("", "question,answer\n"):
        data = as_bytes(head + text)
        with read_or_refused():
            assert parse_problems("rows.csv", data, family=domain_of(MATH)).problems


@OFTEN
@given(st.lists(damaged(GRADED), min_size=1, max_size=3), st.sampled_from(["math", "countdown"]))
def test_damaged_responses_are_graded_or_refused(tmp_path, rows, domain):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(lines_of(rows))
    family = domain_of(RunSettings(problems={"domain": domain}))
    with read_or_refused():
        read = read_rows(str(path), family)
        for row in read:
            family.grade(row.problem, row.response)
        graded = graded_lines(read, [Grading(Verdict.WRONG)] * len(read))
        assert "\n".join(graded).encode()


def parquet():
    sink = io.BytesIO()
    table = pl.DataFrame({"question": ["Q?"] * 9, "response": ["A\nB"] * 9, "answer": ["4"] * 9})
    table.with_columns(steps=pl.lit(["A\n", "B"])).write_parquet(sink)
    return sink.getvalue()


PARQUET = parquet()


# Each is read by a process of its own. Of the example Polars asks for 2 EiB and aborts.
@settings(OFTEN, max_examples=8)
@example([(159, 105), (1469, 114)], len(PARQUET))
@given(st.lists(st.tuples(st.integers(0, len(PARQUET) - 1), st.integers(0, 255)), max_size=4),
       st.just(len(PARQUET)) | st.integers(0, len(PARQUET)))  # fmt: skip
def test_a_damaged_parquet_file_is_read_or_refused(changes, size):
    data = bytearray(PARQUET)
    for place, byte in changes:
        data[place] = byte
    with read_or_refused():
        assert parse_problems("rows.parquet", bytes(data[:size]), family=domain_of(MATH)).problems


@OFTEN
@given(st.text(alphabet="()[]{}|*+?^$\\.,:=!<>-&~#PRLUpk0123456789abx \n", max_size=40))
def test_any_pattern_is_compiled_or_refused(pattern):
    with read_or_refused():
        compile_pattern(pattern)
