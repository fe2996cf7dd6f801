"""Data sets of packages are tables of the database, with what they say of themselves."""

import duckdb
import polars as pl
import pytest

from pav.models.errors import InputError
from pav.tasks.database.database import build_database, check_database
from pav.tasks.database.inputs import Sources
from pav.tasks.database.plugin_tables import plugins_mark
from pav.tasks.store import datasets

MODULE = """
import polars as pl
from pav.tasks.store.datasets import DataSet

COLUMNS = {"prefix_id": pl.String, "width": pl.Float64}
PLAIN = DataSet(COLUMNS, grain="One row per prefix.", comments={"width": "how wide it is"})
# Named before what it reads.
SUMMED = DataSet(
    COLUMNS,
    sql="create table added as select count(*) as n, sum(width) as total from spread",
)
MISNAMED = DataSet(COLUMNS, sql="create table other as select 1")
"""


@pytest.fixture
def install(install_here):
    """Install the toy's data sets by name for this process."""

    def run(**names):
        points = {"pav.datasets": {name: f"toy_sets:{value}" for name, value in names.items()}}
        install_here(("toy_sets.py", MODULE), points=points)

    return run


def built(tmp_path, files):
    build_database(tmp_path / "labels.duckdb", Sources({"spread": files}))
    return duckdb.connect(str(tmp_path / "labels.duckdb"), read_only=True)


def test_a_data_set_is_a_table_as_it_is_or_as_its_sql_says(install, tmp_path):
    install(spread="PLAIN", added="SUMMED")
    rows = [{"prefix_id": "p", "width": 0.5}, {"prefix_id": "q", "width": 0.25}]
    file = tmp_path / "spread.parquet"
    file.write_bytes(datasets.to_parquet("spread", datasets.frame("spread", rows)))
    with built(tmp_path, [file]) as connection:
        assert connection.sql("from spread order by 1").fetchall() == [("p", 0.5), ("q", 0.25)]
        assert connection.sql("from added").fetchall() == [(2, 0.75)]
        said = "select comment from duckdb_tables() where table_name = 'spread'"
        assert connection.sql(said).fetchall() == [("One row per prefix.",)]
        said = "select comment from duckdb_columns() where table_name = 'spread' order by 1"
        assert connection.sql(said).fetchall()[0] == ("how wide it is",)
    assert check_database(tmp_path / "labels.duckdb") == []


def test_without_rows_a_table_is_empty_and_has_its_columns(install, tmp_path):
    install(spread="PLAIN")
    with built(tmp_path, []) as connection:
        assert connection.sql("from spread").fetchall() == []
        assert connection.sql("from spread").columns == ["prefix_id", "width"]


def test_a_database_with_other_tables_of_packages_is_another(install):
    assert plugins_mark() == {}
    install(spread="PLAIN")
    plain = plugins_mark()
    install(spread="PLAIN", added="SUMMED")
    assert {} != plain != plugins_mark()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"spread": "MISNAMED"}, "'spread' .*expected sql with `create table spread as`"),
        ({"labels": "PLAIN"}, "'labels' .*no table of pav has"),
        ({"a-b": "PLAIN"}, "'a-b' .*expected a name of small letters"),
    ],
    ids=["other table", "table of pav", "name"],
)
def test_a_table_that_cannot_be_is_refused(install, tmp_path, names, words):
    install(**names)
    with pytest.raises(InputError, match=words):
        built(tmp_path, [])


def test_a_unit_may_not_leave_other_columns(install):
    install(spread="PLAIN")
    with pytest.raises(Exception, match="data set spread: expected columns"):
        datasets.to_parquet("spread", pl.DataFrame({"prefix_id": ["p"]}))
