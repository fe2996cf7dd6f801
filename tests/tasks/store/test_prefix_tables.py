import polars as pl
import pytest

from pav.models.errors import StoreError
from pav.tasks.store.prefix_tables import with_steps

SOLUTIONS = pl.DataFrame(
    {"solution_id": ["s", "t", "s"], "steps": [["a\n", "b\n", "c"], [], ["a\n", "b\n", "c"]]}
)


def prefixes(*rows):
    return pl.DataFrame(
        rows, schema={"prefix_id": pl.String, "solution_id": pl.String, "num_steps": pl.Int32},
        orient="row",
    )  # fmt: skip


def test_steps_are_the_first_ones_of_the_solution_in_the_order_of_the_prefixes():
    rows = [("p2", "s", 2), ("q0", "t", 0), ("p0", "s", 0), ("p3", "s", 3)]
    table = with_steps(prefixes(*rows), SOLUTIONS)
    assert table.columns == ["prefix_id", "solution_id", "num_steps", "steps"]
    assert list(zip(table["prefix_id"], table["steps"].to_list(), strict=True)) == [
        ("p2", ["a\n", "b\n"]), ("q0", []), ("p0", []), ("p3", ["a\n", "b\n", "c"]),
    ]  # fmt: skip


def test_a_solution_that_is_not_there_is_told():
    with pytest.raises(StoreError, match="1 of 2 are the first steps of solutions that are not"):
        with_steps(prefixes(("p", "s", 1), ("q", "none", 1)), SOLUTIONS)


def test_no_prefixes_are_no_steps():
    assert with_steps(prefixes(), SOLUTIONS).columns[-1] == "steps"
