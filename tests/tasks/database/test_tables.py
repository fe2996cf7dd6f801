"""Tables for people: aligned, as wide as the terminal, with nothing that a terminal obeys."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pav.tasks.database.tables import as_table, visible

FRAME = pl.DataFrame(
    {"name": ["a\nb", None], "value": [0.25, 1234.0], "steps": [["x"], ["y,", "z"]]}
)


def test_a_table_is_aligned_and_counts_its_rows():
    assert as_table(FRAME, width=None) == (
        "name  value  steps\n"
        "----  -----  -----------\n"
        'a\\nb   0.25  ["x"]\n'
        '      1,234  ["y,", "z"]\n'
        "(2 rows)\n"
    )


def test_a_long_table_says_how_to_see_the_rest():
    text = as_table(pl.DataFrame({"n": list(range(101))}), width=None)
    assert len(text.splitlines()) == 103
    assert text.splitlines()[-1].startswith("(101 rows; the first 100 rows shown; --format csv")


def test_an_empty_table_still_has_its_header():
    text = as_table(FRAME.clear(), width=None)
    assert text.endswith("steps\n----  -----  -----\n(0 rows)\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (False, "false"), (None, ""), (1234567, "1,234,567"), (1234567.0, "1,234,567"),
     (0.12345, "0.1235"), (0.00001234, "1.234e-05"), (0.0, "0"), (float("nan"), "nan"),
     (-float("inf"), "-inf"), (-1234.5, "-1,234.5"), ("", ""), ("12", "12"),
     ({"a": True, "b": None}, '{"a": true, "b": null}')],
)  # fmt: skip
def test_a_value_is_written_as_sql_and_people_write_it(value, shown):
    [_, _, row, _] = as_table(pl.DataFrame({"x": [value]}), width=None).splitlines()
    assert row.strip() == shown


def test_integers_beyond_64_bits_have_thousands_too():
    frame = pl.DataFrame({"x": pl.Series(["27670116110564327421"]).cast(pl.Decimal(38, 0))})
    assert "27,670,116,110,564,327,421" in as_table(frame, width=None)


def test_what_a_terminal_would_obey_is_written_out():
    hostile = "\x1b[2J\x07\r\n\t\x9b\u202e\u2028"
    frame = pl.DataFrame({hostile: [hostile]})
    text = as_table(frame, width=None)
    assert not any(ch in text for ch in hostile if ch != "\n" and ch not in "[2J")
    assert text.count("\n") == 4
    assert visible("\x1b\n") == r"\x1b\n"


texts = st.text(max_size=60)


@given(
    columns=st.dictionaries(texts, st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=9),
    numbers=st.lists(st.integers(-(10**12), 10**12), min_size=2, max_size=2),
    width=st.integers(20, 90),
)
def test_a_table_is_never_wider_than_the_terminal_and_numbers_are_whole(columns, numbers, width):
    frame = pl.DataFrame({"": numbers, **{name or "_": cells for name, cells in columns.items()}})
    lines = as_table(frame, width=width).splitlines()
    assert all(cell_len(line) <= width for line in lines[:-1])
    assert all(f"{number:,}" in line for number, line in zip(numbers, lines[2:], strict=False))


def test_columns_that_do_not_fit_are_left_out_and_told():
    frame = pl.DataFrame({f"column_{n}": ["x" * 30] for n in range(9)})
    text = as_table(frame, width=40)
    assert text.splitlines()[0] == "column_0      column_1      column_2"
    assert text.splitlines()[2] == "xxxxxxxxxxx…  xxxxxxxxxxx…  xxxxxxxxxxx…"
    assert "(1 row; 3 of 9 columns shown;" in text
