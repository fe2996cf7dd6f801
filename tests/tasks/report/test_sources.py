"""A second look at a run has not made it cheaper."""

import json

import pytest

from pav.tasks.report.sources import first_cost
from pav.tasks.store.stage_report import StageReport
from pav.tasks.store.store import Store

NOTHING = (StageReport("label", 8, 8, 0, 0.0, ("label_blocks",)),)
ROW = {
    "stage": "label", "data_sets": ["label_blocks"], "total": 8, "reused": 2, "made": 6,
    "seconds": 41.5, "notes": ["a note"],
}  # fmt: skip
FIRST = StageReport("label", 8, 2, 6, 41.5, ("label_blocks",), ("a note",))


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path))


def keep(store, record):
    store.write_bytes("runs/r/results.json", json.dumps(record).encode())


def test_a_run_with_nothing_new_keeps_the_cost_of_the_one_that_made_its_units(store):
    keep(store, {"stages": [ROW], "wall_seconds": 812.0})
    assert first_cost(store, "r", stages=NOTHING, wall_seconds=6.0) == ([FIRST], 812.0)
    assert first_cost(store, "r", stages=(), wall_seconds=6.0) == ([FIRST], 812.0)


def test_a_run_that_made_something_tells_its_own_cost(store):
    keep(store, {"stages": [ROW], "wall_seconds": 812.0})
    assert first_cost(store, "r", stages=(FIRST,), wall_seconds=6.0) == ((FIRST,), 6.0)


@pytest.mark.parametrize(
    "record",
    [{}, [], {"stages": [{"stage": "label"}], "wall_seconds": 1.0}, {"stages": None}],
)
def test_an_earlier_report_that_says_nothing_of_its_cost_is_not_asked(store, record):
    keep(store, record)
    assert first_cost(store, "r", stages=NOTHING, wall_seconds=6.0) == (NOTHING, 6.0)


def test_without_an_earlier_report_the_cost_is_as_given(store):
    assert first_cost(store, "r", stages=NOTHING, wall_seconds=6.0) == (NOTHING, 6.0)
