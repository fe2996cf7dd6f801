import json
import os
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav import sql
from pav.models.errors import StoreError, WorkError
from pav.models.settings import RunSettings
from pav.tasks.database.database import run_query
from pav.tasks.database.publishing import DATABASE, gather, publish_database
from pav.tasks.database.recorded_runs import read_runs, record_run
from pav.tasks.database.runs import (
    DATABASE_MARK,
    FinishedRun,
    check_faults,
    is_published,
    publish_run,
)
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish
from pav.tasks.store.stages import UNIT_STAGES, is_current
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

COLUMNS = {
    "prefix_id": "s", "seed": 0, "num_rollouts": 4, "num_truncated": 0, "num_unparsed": 0,
    "num_failed": 0, "generated_tokens": 10, "stopping_rule": "fixed",
}  # fmt: skip


LABEL = UNIT_STAGES["label"].revision


def label(store, block, correct, *, revision=LABEL, policy_id="p"):
    unit = Unit("label", f"block {block}", revision, {"block": block, "policy": policy_id})
    row = COLUMNS | {"block": block, "num_correct": correct, "policy_id": policy_id,
                     "unit_id": unit.unit_id}  # fmt: skip
    data = to_parquet("label_blocks", frame("label_blocks", [row]))
    return publish(store, unit, Outcome((Output("label_blocks.parquet", data, 1),), {"seconds": 2}))


def search(store, name, is_correct, *, revision=UNIT_STAGES["evaluate"].revision):
    unit = Unit("evaluate", name, revision, {"name": name})
    row = {"strategy": name, "problem_id": "x", "split": "test", "is_correct": is_correct,
           "unit_id": unit.unit_id}  # fmt: skip
    data = to_parquet("search_results", frame("search_results", [row]))
    return publish(store, unit, Outcome((Output("search_results.parquet", data, 1),)))


def answer(store, query):
    return run_query(store.local_path(DATABASE), query).rows()


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def record(store, run_id, *manifests, **more):
    unit_ids = [manifest.unit.unit_id for manifest in manifests]
    return record_run(store, run_id, settings={"seed": 1}, unit_ids=unit_ids, **more)


def test_labels_of_every_intact_unit_are_published_with_or_without_a_run(store):
    label(store, 0, 1)
    label(store, 1, 3)
    assert publish_database(store).address == store.address("labels.duckdb")
    assert answer(store, "select num_correct, num_rollouts from labels") == [(4, 8)]


def test_a_damaged_unit_is_left_out_until_it_is_remade(store):
    label(store, 0, 1)
    damaged = label(store, 1, 3)
    path = Path(store.address(damaged.files[0].path))
    data = path.read_bytes()
    path.write_bytes(b"?" + data[1:])
    publish_database(store)
    assert answer(store, "select num_correct, num_rollouts from labels") == [(1, 4)]
    label(store, 1, 3)
    publish_database(store)
    assert answer(store, "select num_correct, num_rollouts from labels") == [(4, 8)]


def test_labels_of_an_older_revision_give_way(store):
    label(store, 0, 1, revision=LABEL - 1)
    publish_database(store)
    # Also where no newer one is there: its columns may be others.
    assert answer(store, "from labels") == []
    label(store, 0, 2)
    publish_database(store)
    assert answer(store, "select num_correct, num_rollouts from labels") == [(2, 4)]
    assert answer(store, "select revision from units") == [(LABEL,)]


@pytest.mark.parametrize("stage", ["problems", "sample", "label", "train", "evaluate", "import"])
def test_no_stage_speaks_by_two_revisions_at_once(stage):
    assert is_current(stage, UNIT_STAGES[stage].revision)
    assert not is_current(stage, UNIT_STAGES[stage].revision - 1)


def test_searches_of_an_older_revision_are_in_no_average(store):
    older = search(store, "single", False, revision=UNIT_STAGES["evaluate"].revision - 1)
    record(store, "a", older, search(store, "beam", True))
    publish_database(store)
    assert answer(store, "select strategy from all_search_results") == [("beam",)]
    assert answer(store, "select name from units") == [("beam",)]


def test_the_last_run_that_searched_gives_the_search_results(store):
    first, second = search(store, "single", False), search(store, "beam", True)
    record(store, "a", first)
    record(store, "b", first, second)
    record(store, "c", label(store, 0, 1))
    publish_database(store)
    assert answer(store, "select run_id, strategy from search_results order by 2") == [
        ("b", "beam"), ("b", "single")]  # fmt: skip
    assert answer(store, "select run_id, count(*) from all_search_results group by 1 order by 1")\
        == [("a", 1), ("b", 2)]  # fmt: skip
    assert answer(store, "select run_id from runs where is_last") == [("c",)]


def test_costs_are_one_row_a_unit_and_item(store):
    made = label(store, 0, 1)
    publish_database(store)
    assert answer(store, "from costs") == [(made.unit.unit_id, "label", "seconds", 2.0)]


def test_a_run_record_holds_settings_units_policies_and_verifiers(store):
    made = label(store, 0, 1)
    path = record(store, "a", made, made, policies=[{"name": "base", "policy_id": "p", "x": 1}],
                  verifiers=[{"name": "q", "unit_id": "t"}])  # fmt: skip
    assert path == "runs/a/run.json"
    stored = json.loads(store.read_bytes(path))
    assert stored["unit_ids"] == [made.unit.unit_id]
    assert stored["settings"] == {"seed": 1}
    publish_database(store)
    assert answer(store, "select name, policy_id, details->>'$.x' from policies") == [
        ("base", "p", "1")]  # fmt: skip
    assert answer(store, "select verifier_id, name from verifiers") == [("t/q", "q")]


def test_a_policy_in_two_roles_is_one_row_under_the_name_of_the_base(store):
    roles = [{"name": name, "policy_id": "p"} for name in ("base", "strong", "weak")]
    record(store, "a", policies=roles)
    publish_database(store)
    assert answer(store, "select name from policies") == [("base",)]
    assert answer(store, "select name from run_policies") == [("base",), ("strong",), ("weak",)]


def test_runs_are_read_in_order_of_time_and_a_garbled_record_is_named(store):
    record(store, "z")
    record(store, "a")
    assert [run["run_id"] for run in read_runs(store)] == ["z", "a"]
    store.write_bytes("runs/bad/run.json", b'{"run_id": "bad"}')
    with pytest.raises(StoreError, match=r"runs/bad/run\.json: expected the record of a run"):
        read_runs(store)


def put_run(store, folder="bad", **changes):
    good = {"run_id": folder, "at": "2026-01-01T00:00:00+00:00", "settings": {}, "unit_ids": [],
            "policies": [], "verifiers": []}  # fmt: skip
    store.write_bytes(f"runs/{folder}/run.json", json.dumps(good | changes).encode())


JUNK_RUNS = {
    "another run": {"run_id": "other"},
    "at a number": {"at": 5},
    "at junk": {"at": "now"},
    "at beyond dates": {"at": "9999-12-31T23:59:59-23:00"},
    "number a text": {"number": "1"},
    "settings a list": {"settings": []},
    "settings infinite": {"settings": {"a": 1e999}},
    "units null": {"unit_ids": None},
    "a unit twice": {"unit_ids": ["a", "a"]},
    "a policy a text": {"policies": ["base"]},
    "a policy without a name": {"policies": [{"policy_id": "p"}]},
    "a round as a text": {"policies": [{"name": "base", "policy_id": "p", "round": "1"}]},
    "a verifier's seed immense": {"verifiers": [{"name": "q", "pipeline_seed": 1 << 40}]},
    "a surplus key": {"owner": "me"},
}


@pytest.mark.parametrize("changes", JUNK_RUNS.values(), ids=JUNK_RUNS)
def test_a_run_record_that_pav_did_not_write_is_named_with_the_way_out(store, changes):
    put_run(store, "good")
    assert publish_database(store).faults == []
    put_run(store, **changes)
    with pytest.raises(
        StoreError, match=r"runs/bad/run\.json: expected the record of a run.*remove"
    ):
        publish_database(store)


@pytest.mark.parametrize("depth", [400, 100_000])
def test_a_deep_run_record_is_named_too(store, depth):
    deep = "[" * depth + "]" * depth
    put_run(store, settings="HERE")
    path = "runs/bad/run.json"
    store.write_bytes(path, store.read_bytes(path).replace(b'"HERE"', deep.encode()))
    with pytest.raises(StoreError, match="expected the record of a run"):
        read_runs(store)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


policy_rows = st.fixed_dictionaries(
    {"name": st.text(), "policy_id": st.text()},
    optional={"round": json_values, "unit_id": json_values, "x": json_values},
)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["run_id", "number", "at", "settings", "unit_ids", "policies", "verifiers"]),
    json_values | st.lists(policy_rows),
)
def test_no_run_record_ends_in_anything_but_rows_or_a_store_error(tmp_path_factory, key, value):
    store = Store(str(tmp_path_factory.getbasetemp() / "fuzzed-runs"))
    put_run(store, **{key: value})
    with suppress(StoreError):
        assert gather(store).rows["runs"].height == 1


def test_the_run_recorded_last_is_the_last_one_though_a_clock_was_ahead(store):
    record(store, "first")
    path = "runs/first/run.json"
    ahead = json.loads(store.read_bytes(path)) | {"at": "2099-01-01T00:00:00+00:00"}
    store.write_bytes(path, json.dumps(ahead).encode())
    record(store, "second")
    publish_database(store)
    assert answer(store, "select run_id from runs where is_last") == [("second",)]
    record(store, "first")
    publish_database(store)
    assert answer(store, "select run_id from runs where is_last") == [("first",)]


def test_a_copy_of_the_runs_within_the_runs_is_no_part_of_the_store(store):
    record(store, "a")
    store.write_bytes("runs/backup/a/run.json", store.read_bytes("runs/a/run.json"))
    assert [run["run_id"] for run in read_runs(store)] == ["a"]


def test_publishing_into_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="regular file"):
        publish_database(Store(str(tmp_path / "file" / "store")))


def test_publishing_twice_leaves_one_database_and_nothing_temporary(store):
    label(store, 0, 1)
    publish_database(store)
    publish_database(store)
    assert sorted(os.listdir(store.root)) == ["data", "labels.duckdb", "manifests"]


def test_a_database_in_s3_answers_from_a_copy_that_follows_it(bucket, tmp_path):
    store = Store(bucket)
    label(store, 0, 1)
    assert publish_database(store).address == f"{bucket}/labels.duckdb"
    assert answer(store, "select num_correct from labels") == [(1,)]
    label(store, 1, 3)
    publish_database(store)
    assert answer(store, "select num_correct from labels") == [(4,)]
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(store.read_bytes(DATABASE))
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("select value from value_estimates").fetchall() == []


def test_a_policy_that_no_run_names_goes_by_its_id(store):
    label(store, 0, 1, policy_id="nameless")
    publish_database(store)
    [(stage, policy, *_)] = answer(store, sql.read("queries/cost"))
    assert (stage, policy) == ("label", "nameless")


def problems(store, name, split):
    unit = Unit("problems", name, 1, {"name": name})
    row = {"problem_id": name, "domain": "math", "question": "1 + 1?", "answer": "2",
           "split": split, "canonical_key": "one and one", "unit_id": unit.unit_id}  # fmt: skip
    data = to_parquet("problems", frame("problems", [row]))
    return publish(store, unit, Outcome((Output("problems.parquet", data, 1),)))


def test_a_whole_database_has_no_faults_and_its_run_passes_for_published(store):
    run = FinishedRun("a", RunSettings(), {}, {"problems": [problems(store, "one", "train")]})
    assert publish_run(store, run) == []
    assert is_published(store, run)
    check_faults(store, [])


@pytest.mark.parametrize("text", [b"", b"[]", b"[" * 100_000, b'{"run_id": 1}', b"\xff"])
def test_a_garbled_mark_of_the_database_is_none(store, text):
    run = FinishedRun("a", RunSettings(), {}, {"problems": [problems(store, "one", "train")]})
    publish_run(store, run)
    store.write_bytes(DATABASE_MARK, text)
    assert not is_published(store, run)


def test_faults_are_told_each_time_and_the_database_is_there_all_the_same(store):
    one, two = problems(store, "one", "train"), problems(store, "two", "test")
    run = FinishedRun("a", RunSettings(), {}, {"problems": [one, two]})
    for _ in range(2):
        faults = publish_run(store, run)
        assert faults == ["splits: one and one: canonical key in the splits test, train"]
        assert not is_published(store, run)
    assert answer(store, "select count(*) from problems") == [(2,)]
    message = r"published, but .* 1 fault:\n  splits: one and one: [^\n]*\n`pav check --store"
    with pytest.raises(WorkError, match=message):
        check_faults(store, faults)


def test_of_many_faults_the_first_are_named_and_the_others_counted(store):
    label(store, 0, 9)
    faults = [fault.text for fault in publish_database(store).faults]
    assert "label_counts: s p 0 0: 9 correct, 0 truncated, 0 unparsed of 4 rollouts, 0 failed" in (
        faults
    )
    with pytest.raises(WorkError, match=r"found 1,000 faults:(\n  [^\n]*){5}\n  and 995 more\n"):
        check_faults(store, faults * (1000 // len(faults)) + faults[: 1000 % len(faults)])


def test_a_database_in_s3_is_checked_too(bucket):
    store = Store(bucket)
    label(store, 0, 1)
    faults = publish_database(store).faults
    assert [fault.text for fault in faults] == ["orphans: s p: label of an unknown prefix"]


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-9] + b"?" * 9])
def test_a_damaged_database_does_not_pass_for_published_until_it_is_built_again(store, damage):
    run = FinishedRun("a", RunSettings(), {}, {"problems": [problems(store, "one", "train")]})
    publish_run(store, run)
    path = Path(store.address(DATABASE))
    path.write_bytes(damage(path.read_bytes()))
    assert not is_published(store, run)
    publish_run(store, run)
    assert is_published(store, run)
    assert answer(store, "select problem_id from problems") == [("one",)]
