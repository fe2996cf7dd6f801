"""Every value of DuckDB reaches every format whole, and Ctrl-C stops a query at once."""

import io
import json
import os
import signal
import threading

import duckdb
import polars as pl
import pytest

from pav.tasks.database.answers import fetch, interruptible
from pav.tasks.database.queries import render


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


# SQL of a value -> the value as Python has it
VALUES = {
    "interval 1 year": "1 year",
    "[interval 1 month]": '["1 month"]',
    "union_value(a := 1)": '{"a":1}',
    "'infinity'::timestamp": "infinity",
    "'-infinity'::date": "-infinity",
    "'290000-01-01'::date": "290000-01-01",
    "9223372036854775807::hugeint": 9223372036854775807,
    "27670116110564327421::hugeint": 27670116110564327421,
    "340282366920938463463374607431768211455::uhugeint": "340282366920938463463374607431768211455",
    "12345678901234567890123456789012345678::decimal(38, 0)":
        12345678901234567890123456789012345678,
    "[1::hugeint, null]": [1, None],
    "[170141183460469231731687303715884105727]": "[170141183460469231731687303715884105727]",
    "1.25::decimal(4, 2)": 1.25,
    "row(1, 'a')": "(1, a)",
    "map {'a': 1}": '{"a":1}',
    "{'a': 1, 'b': ['x']}": {"a": 1, "b": ["x"]},
    "'a'::enum('a', 'b')": "a",
    "time '10:00'": "10:00:00",
    "'01'::bit": "01",
    "null": None,
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_of_any_type_comes_right_in_every_format(connection, value):
    found = fetch(connection, f"select {value} as x", None)
    [came] = found.get_column("x").to_list()
    assert (int(came) if found.dtypes[0] == pl.Decimal else came) == VALUES[value]
    [row] = json.loads(render(found, "json"))
    assert json.loads(render(found, "jsonl")) == row
    wanted = VALUES[value]
    assert row["x"] == (str(wanted) if found.dtypes[0] == pl.Decimal else wanted)
    assert pl.read_parquet(io.BytesIO(render(found, "parquet"))).rows() == found.rows()
    text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    table = render(found, "table").decode().splitlines()
    assert table[2].strip().replace(",", "") == ("" if wanted is None else text.replace(",", ""))
    if wanted is not None:
        [[csv]] = pl.read_csv(render(found, "csv"), infer_schema=False).rows()
        assert csv == text


def test_wide_integers_are_narrow_where_all_of_a_column_fit(connection):
    found = fetch(connection, "select sum(i) as total, [sum(i)] as totals from range(4) t(i)", None)
    assert found.schema == {"total": pl.Int64, "totals": pl.List(pl.Int64)}
    wide = fetch(connection, "from (values (1::hugeint), (9223372036854775808)) t(x)", None)
    assert list(map(int, wide.get_column("x"))) == [1, 9223372036854775808]


def test_columns_of_one_name_are_numbered(connection):
    found = fetch(connection, 'select 1 as a, 2 as a, 3 as "A"', None)
    assert found.rows() == [(1, 2, 3)]
    assert len({name.lower() for name in found.columns}) == 3


def test_order_and_parameters_are_kept(connection):
    query = "select sum(i) as s, i from range($n) t(i) group by i order by i desc"
    assert fetch(connection, query, {"n": 3}).rows() == [(2, 2), (1, 1), (0, 0)]


def test_two_questions_to_one_connection_do_not_meet(connection):
    assert [fetch(connection, f"select {n}::hugeint as x", None).item() for n in (1, 2)] == [1, 2]


def test_ctrl_c_stops_a_query_at_once(connection):
    endless = "select count(*) from range(100000000000)"
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    answers = []
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        interruptible(connection, lambda: answers.append(fetch(connection, endless, None)))
    timer.join()
    assert answers == []
