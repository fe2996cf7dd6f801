"""Queries on the hand-made store: what a user asks, and how the answer is shown."""

import io
import json
import shutil

import polars as pl
import pytest

from pav import sql
from pav.models.errors import InputError
from pav.tasks.database.publishing import publish_database
from pav.tasks.database.queries import ask, check_store, render, saved_queries
from pav.tasks.database.recorded_runs import record_run
from pav.tasks.store.store import Store


def test_a_name_and_its_text_give_the_same_rows(store):
    assert ask(store, " verdicts ").equals(ask(store, sql.read("queries/verdicts")))


def test_an_unknown_name_lists_the_names(store):
    with pytest.raises(InputError, match=r"'lables': did you mean 'labels'\? expected one of"):
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


def test_raw_rollouts_are_an_empty_view_where_there_are_none(tmp_path):
    empty = Store(str(tmp_path))
    publish_database(empty)
    assert ask(empty, "select policy, text from rollouts").height == 0
    assert ask(empty, "passing_targets").height == 0


def test_raw_rollouts_of_a_store_that_moved_are_those_of_its_new_place(store, tmp_path):
    moved = Store(str(shutil.copytree(store.root, tmp_path / "new place")))
    query = "select count(*) as n from rollouts where policy = 'base'"
    assert ask(moved, query).rows() == ask(store, query).rows() == [(2,)]


def test_raw_rollouts_of_a_store_in_s3_are_read_from_copies(store, bucket):
    remote = Store(bucket)
    for path in store.list("data"):
        remote.write_bytes(path, store.read_bytes(path))
    for path in store.list("manifests"):
        remote.write_bytes(path, store.read_bytes(path))
    publish_database(remote)
    query = "select count(*) as n from rollouts where verdict = 'correct'"
    assert ask(remote, query).rows() == [(1,)]
    assert ask(remote, f"select sql like '%{bucket}%' from duckdb_views() "
                       "where view_name = 'rollouts'").item()  # fmt: skip


def test_a_policy_goes_by_one_name_and_an_older_one_of_that_name_by_its_id_too(own_store):
    record_run(own_store, "run-0", settings={}, unit_ids=[],
               policies=[{"name": "base", "policy_id": "older-base"}])  # fmt: skip
    record_run(own_store, "run-9", settings={}, unit_ids=[],
               policies=[{"name": "base", "policy_id": "b" * 16}])  # fmt: skip
    publish_database(own_store)
    found = ask(own_store, "select policy from policies order by policy")
    assert found.get_column("policy").to_list() == ["base", "base (older-ba)", "weak"]
    names = ask(own_store, "select distinct policy from advantages order by 1")
    assert names.get_column("policy").to_list() == ["base", "weak"]
    assert ask(own_store, "select policy_name('nobody')").item() == "nobody"


@pytest.mark.parametrize("question", ["labels", "select 1"])
def test_a_store_without_a_database_names_the_command(tmp_path, question):
    with pytest.raises(InputError, match="no database yet; `pav run --store"):
        ask(Store(str(tmp_path)), question)
    with pytest.raises(InputError, match="no database yet"):
        check_store(Store(str(tmp_path)))


FRAME = pl.DataFrame(
    {"name": ["a\nb", None], "value": [0.25, 1234.0], "steps": [["x"], ["y,", "z"]]}
)


def test_csv_json_and_parquet_hold_all_rows():
    table = pl.read_csv(render(FRAME, "csv"))
    assert table.rows() == [("a\nb", 0.25, '["x"]'), (None, 1234.0, '["y,", "z"]')]
    assert json.loads(render(FRAME, "json")) == FRAME.to_dicts()
    assert [json.loads(line) for line in render(FRAME, "jsonl").splitlines()] == FRAME.to_dicts()
    assert pl.read_parquet(io.BytesIO(render(FRAME, "parquet"))).equals(FRAME)


@pytest.mark.parametrize("name", sql.names("queries"))
def test_every_saved_answer_can_be_shown_in_every_format(store, name):
    found = ask(store, name)
    assert pl.read_parquet(io.BytesIO(render(found, "parquet"))).equals(found)
    assert len(json.loads(render(found, "json"))) == found.height
    assert render(found, "csv").decode().startswith(",".join(found.columns))
    assert len(render(found, "table").splitlines()) == min(found.height, 100) + 3


def test_an_unknown_format_lists_the_known():
    with pytest.raises(InputError, match="one of table, csv, json, jsonl, parquet, got 'xml'"):
        render(FRAME, "xml")
