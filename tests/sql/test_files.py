import re

import duckdb
import pytest

from pav import sql

FOLDERS = ("macros", "schema", "views", "queries", "checks")
FILES = [f"{folder}/{name}" for folder in FOLDERS for name in sql.names(folder)]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_one_statement_that_parses(name):
    with duckdb.connect() as connection:
        assert len(connection.extract_statements(sql.read(name))) == 1


@pytest.mark.parametrize("name", FILES)
def test_the_first_line_says_what_a_row_is(name):
    first = sql.read(name).partition("\n")[0]
    assert re.match(r"-- (One row per|One row:|Scalar:) .*[\w)]\.$", first)


@pytest.mark.parametrize("name", FILES)
def test_lines_are_lower_case_without_tabs_and_at_most_100_wide(name):
    for line in sql.read(name).splitlines():
        code = re.sub(r"'[^']*'|--.*", "", line)
        assert code == code.lower()
        assert "\t" not in line
        assert len(line) <= 100


def test_what_a_file_reads_is_built_before_it():
    order = sql.build_order()
    assert sorted(order) == sorted(f"{folder}/{name}" for folder in sql.BUILT
                                   for name in sql.names(folder))  # fmt: skip
    place = {path.partition("/")[2]: number for number, path in enumerate(order)}
    for path in order:
        name = path.partition("/")[2]
        for earlier in sql.used_names(sql.read(path)) & place.keys() - {name}:
            assert place[earlier] < place[name]
    assert place["labels"] < place["value_estimates"] < place["step_values"] < place["advantages"]


def test_names_in_comments_and_texts_are_not_read():
    text = "-- from elsewhere\nselect best_of(a, 'from nowhere') from labels join units on true"
    assert sql.used_names(text) == {"best_of", "labels", "units"}


@pytest.mark.parametrize("folder", ["macros", "schema", "views"])
def test_a_file_creates_what_it_is_named_after(folder):
    for name in sql.names(folder):
        assert re.search(rf"create (macro|table|view) {name}\b", sql.read(f"{folder}/{name}"))


@pytest.mark.parametrize("name", [name for name in FILES if name[:6] in ("querie", "checks")])
def test_saved_queries_and_checks_need_no_parameters(name):
    assert "$" not in sql.read(name)
