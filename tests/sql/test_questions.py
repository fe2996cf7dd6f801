"""`pav.tasks.queries` on the hand-made store: what a user asks, and how the answer is shown."""

import io
import json

import polars as pl
import pytest

from pav import sql
from pav.models.errors import InputError
from pav.tasks.publishing import publish_database
from pav.tasks.queries import ask, check_store, render, saved_queries
from pav.tasks.store import Store


def test_a_name_and_its_text_give_the_same_rows(store):
    assert ask(store, " verdicts ").equals(ask(store, sql.read("queries/verdicts")))


def test_an_unknown_name_lists_the_names(store):
    with pytest.raises(InputError, match=r"'lables': expected one of advantages, .*, yield"):
        ask(store, "lables")


def test_every_saved_query_has_a_description():
    found = saved_queries()
    assert list(found) == list(sql.names("queries"))
    assert found["overlap"].startswith("One row per canonical key or question")


def test_raw_rollouts_join_with_the_tables(store):
    found = ask(
        store,
        "select rollouts.verdict, prefixes.problem_id, rollouts.steps[2] as last "
        "from rollouts inner join prefixes using (prefix_id) order by rollouts.rollout",
    )
    assert found.rows() == [("correct", "hand", "6 * 4 = 24 left 24"),
                            ("wrong", "hand", "6 * 4 = 24 left 24")]  # fmt: skip


def test_raw_rollouts_that_are_not_there_name_the_command(tmp_path):
    empty = Store(str(tmp_path))
    publish_database(empty)
    with pytest.raises(InputError, match="holds none yet; `pav label`"):
        ask(empty, "select count(*) from rollouts")
    assert ask(empty, "select num_rollouts from labels").height == 0


@pytest.mark.parametrize("question", ["labels", "select 1"])
def test_a_store_without_a_database_names_the_command(tmp_path, question):
    with pytest.raises(InputError, match="no database yet; `pav run --store"):
        ask(Store(str(tmp_path)), question)
    with pytest.raises(InputError, match="no database yet"):
        check_store(Store(str(tmp_path)))


FRAME = pl.DataFrame(
    {"name": ["a\nb", None], "value": [0.25, 1234.0], "steps": [["x"], ["y,", "z"]]}
)


def test_a_table_is_aligned_and_counts_its_rows():
    assert render(FRAME, "table").decode() == (
        "name  value  steps\n"
        "----  -----  -----------\n"
        "a\\nb   0.25  ['x']\n"
        "      1,234  ['y,', 'z']\n"
        "(2 rows)\n"
    )


def test_a_long_table_says_how_to_see_the_rest():
    text = render(pl.DataFrame({"n": list(range(101))}), "table").decode()
    assert len(text.splitlines()) == 103
    assert text.splitlines()[-1].startswith("(101 rows, the first 100 shown; --format csv")


def test_an_empty_table_still_has_its_header():
    assert render(FRAME.clear(), "table").decode().endswith("steps\n----  -----  -----\n(0 rows)\n")


def test_csv_json_and_parquet_hold_all_rows():
    table = pl.read_csv(render(FRAME, "csv"))
    assert table.rows() == [("a\nb", 0.25, '["x"]'), (None, 1234.0, '["y,", "z"]')]
    assert json.loads(render(FRAME, "json")) == FRAME.to_dicts()
    assert pl.read_parquet(io.BytesIO(render(FRAME, "parquet"))).equals(FRAME)


@pytest.mark.parametrize("name", sql.names("queries"))
def test_every_saved_answer_can_be_shown_in_every_format(store, name):
    found = ask(store, name)
    assert pl.read_parquet(io.BytesIO(render(found, "parquet"))).equals(found)
    assert len(json.loads(render(found, "json"))) == found.height
    assert render(found, "csv").decode().startswith(",".join(found.columns))
    assert len(render(found, "table").splitlines()) == found.height + 3


def test_an_unknown_format_lists_the_known():
    with pytest.raises(InputError, match="expected one of table, csv, json, parquet, got 'xml'"):
        render(FRAME, "xml")
