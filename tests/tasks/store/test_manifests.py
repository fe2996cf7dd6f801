import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.errors import StoreError, WorkError
from pav.tasks.database.publishing import data_files, gather, intact_manifests
from pav.tasks.runner.batches import describe
from pav.tasks.store.datasets import SCHEMAS, to_parquet
from pav.tasks.store.ledger import executions, record
from pav.tasks.store.manifest_records import OtherVersionError, from_json, to_json
from pav.tasks.store.manifests import (
    checkpoint_folder,
    find,
    find_many,
    manifest_path,
    publish,
    published_units,
    read_table,
    read_tables,
)
from pav.tasks.store.partials import drop_partial, load_partial, save_partial
from pav.tasks.store.stage_report import missing, report_stage
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from pav.tasks.store.units import DataFile, InputRef, Manifest, Outcome, Output, Unit

RUNS = pl.DataFrame(
    {
        "name": ["q", "q"], "pipeline_seed": [0, 0], "step": [1, 2], "train_loss": [0.5, 0.25],
        "validation_loss": [None, 0.5], "learning_rate": [1e-3, 1e-3], "unit_id": ["u", "u"],
    },
    schema=SCHEMAS["training_runs"],
)  # fmt: skip


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path):
    if request.param == "s3":
        return Store(request.getfixturevalue("bucket"))
    return Store(str(tmp_path / "results"))


@pytest.fixture
def folder(tmp_path):
    return Store(str(tmp_path / "results"))


def unit(seed=0):
    inputs = {"policy": InputRef("pretrain-1", "abc")}
    parameters = {"seed": seed, "sizes": (1, 2)}
    return Unit("train", f"q seed {seed}", UNIT_STAGES["train"].revision, parameters, inputs)


def outcome(text=b"weights"):
    files = (
        Output("training_runs.parquet", to_parquet("training_runs", RUNS), 2),
        Output("model/config.json", b"{}"),
        Output("model/weights.bin", text),
        Output("model_card.md", b"not of the folder"),
    )
    return Outcome(files, {"seconds": 2.0})


def test_a_published_unit_is_found_as_it_was_published(store):
    assert find(store, unit()) is None
    published = publish(store, unit(), outcome())
    found = find(store, unit())
    assert found == published
    assert found.ref == published.ref
    assert found.unit.unit_id == unit().unit_id
    assert found.cost == {"seconds": 2.0}
    assert found.versions["polars"] == pl.__version__
    assert {file.path.split("/")[0] for file in found.files} == {"data"}
    assert all(unit().unit_id in file.path for file in found.files)


def test_tables_come_back_whole_or_by_column(store):
    manifests = [publish(store, unit(seed), outcome()) for seed in range(2)]
    assert read_table(store, manifests[0], "training_runs").equals(RUNS)
    steps = read_tables(store, manifests, "training_runs", columns=["step"])
    assert steps["step"].to_list() == [1, 2, 1, 2]
    assert read_tables(store, [], "training_runs").schema == RUNS.schema
    with pytest.raises(StoreError, match=r"no file 'solutions.parquet', it holds"):
        read_table(store, manifests[0], "solutions")


def test_a_checkpoint_is_a_local_folder_of_its_files(store):
    manifest = publish(store, unit(), outcome())
    for _ in range(2):
        model = checkpoint_folder(store, manifest, "model")
        assert {path.name for path in model.iterdir()} == {"config.json", "weights.bin"}
        assert (model / "weights.bin").read_bytes() == b"weights"
    with pytest.raises(StoreError, match="no file 'base/'"):
        checkpoint_folder(store, manifest, "base")


def test_a_data_set_off_its_schema_is_not_published(folder):
    table = RUNS.rename({"step": "steps"})
    wrong = Output("training_runs.parquet", parquet(table), 2)
    with pytest.raises(StoreError, match="expected columns"):
        publish(folder, unit(), Outcome((wrong,)))
    assert folder.list("") == []


def parquet(table):
    import io

    sink = io.BytesIO()
    table.write_parquet(sink)
    return sink.getvalue()


def truncate(store, path):
    store.write_bytes(path, store.read_bytes(path)[:-1])


def flip(store, path):
    data = bytearray(store.read_bytes(path))
    data[len(data) // 2] ^= 1
    store.write_bytes(path, bytes(data))


@pytest.mark.parametrize("damage", [truncate, Store.remove])
def test_truncated_or_missing_data_is_noticed_and_remade(store, damage):
    first = publish(store, unit(), outcome())
    damage(store, first.files[2].path)
    assert find(store, unit()) is None
    assert missing(store, [unit(), unit()]) == [unit()]
    assert publish(store, unit(), outcome()).ref == first.ref
    assert find(store, unit()) is not None


def test_one_flipped_bit_is_noticed_in_a_folder(folder):
    first = publish(folder, unit(), outcome())
    assert find(folder, unit()) is not None
    flip(folder, first.files[0].path)
    assert find(folder, unit()) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"schema_version": 1}', b"\xff"])
def test_a_garbled_manifest_counts_as_missing(folder, text):
    publish(folder, unit(), outcome())
    folder.write_bytes(manifest_path(unit().unit_id), text)
    assert find(folder, unit()) is None
    assert publish(folder, unit(), outcome()) == find(folder, unit())


def changed(store, change):
    """Put a change of a good manifest in its place; return it."""
    path = manifest_path(publish(store, unit(), outcome()).unit.unit_id)
    record = json.loads(store.read_bytes(path))
    change(record)
    store.write_bytes(path, json.dumps(record).encode())
    return record


def put(*keys, value):
    def change(record):
        for key in keys[:-1]:
            record = record[key]
        record[keys[-1]] = value

    return change


JUNK = {
    "inputs a list": put("unit", "inputs", value=[]),
    "an input a text": put("unit", "inputs", "policy", value="pretrain-1"),
    "no name": put("unit", "name", value=" "),
    "parameters a list": put("unit", "parameters", value=[1]),
    "revision a fraction": put("unit", "revision", value=1.5),
    "revision immense": put("unit", "revision", value=1 << 40),
    "another unit id": put("unit", "unit_id", value="train-0"),
    "no files": put("files", value=[]),
    "files an object": put("files", value={}),
    "path a number": put("files", 0, "path", value=7),
    "path with NUL": put("files", 0, "path", value="data/a\0b"),
    "path outside": put("files", 0, "path", value="../../etc/passwd"),
    "path absolute": put("files", 0, "path", value="/etc/passwd"),
    "name outside": put("files", 1, "name", value="model/../../x"),
    "sha256 a word": put("files", 0, "sha256", value="abc"),
    "size negative": put("files", 0, "num_bytes", value=-1),
    "rows immense": put("files", 0, "num_rows", value=1 << 70),
    "a surplus key": put("files", 0, "owner", value="me"),
    "cost null": put("cost", value=None),
    "cost a text": put("cost", value={"seconds": "2"}),
    "cost infinite": put("cost", value={"seconds": float("inf")}),
    "cost beyond floats": put("cost", value={"seconds": 10**400}),
    "versions a list": put("versions", value=[]),
    "schema version Infinity": put("schema_version", value=float("inf")),
    "schema version a text": put("schema_version", value="1"),
    "schema version true": put("schema_version", value=True),
    "created at a number": put("created_at", value=5),
    "created at junk": put("created_at", value="yesterday"),
    "created before all dates": put("created_at", value="0001-01-01T00:00:00+14:00"),
    "a lone surrogate": put("unit", "stage", value="\ud800"),
}


@pytest.mark.parametrize("change", JUNK.values(), ids=JUNK)
def test_a_manifest_that_pav_did_not_write_counts_as_missing(folder, change):
    changed(folder, change)
    assert find(folder, unit()) is None
    assert intact_manifests(folder, check_content=True) == []
    assert publish(folder, unit(), outcome()) == find(folder, unit())


def test_a_deeply_nested_manifest_counts_as_missing(folder):
    publish(folder, unit(), outcome())
    for depth in (500, 100_000):
        deep = "[" * depth + "]" * depth
        change = json.dumps(changed(folder, put("unit", "parameters", value={"a": "HERE"})))
        for text in (deep, change.replace('"HERE"', deep)):
            folder.write_bytes(manifest_path(unit().unit_id), text.encode())
            assert find(folder, unit()) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value, path=()):
    """Return the path of every value within a JSON value."""
    nested = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, inner in nested:
            found += (
                places(inner, (*path, key)) if isinstance(inner, dict | list) else [(*path, key)]
            )
    return found


FILE = DataFile("a.bin", "data/train/x/a.bin", hashlib.sha256(b"1").hexdigest(), 1, 1)
GOOD = Manifest(
    unit(), (FILE,), {"seconds": 2.0}, {"pav": "1"}, 1, "2026-01-01T00:00:00+00:00"
)  # fmt: skip


def damaged(data):
    """Return a good manifest's bytes with one value of it replaced by any JSON."""
    record = json.loads(to_json(GOOD))
    put(*data.draw(st.sampled_from(places(record))), value=data.draw(json_values))(record)
    return json.dumps(record).encode()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_change_of_a_manifest_is_refused_or_gives_a_manifest(data):
    with suppress(ValueError, OtherVersionError):
        found = from_json(damaged(data))
        assert from_json(to_json(found)) == found
        assert describe([found.unit])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_change_of_a_manifest_stops_what_reads_the_whole_store(tmp_path_factory, data):
    store = Store(str(tmp_path_factory.getbasetemp() / "fuzzed"))
    store.write_bytes(GOOD.files[0].path, b"1")
    store.write_bytes(manifest_path(GOOD.unit.unit_id), damaged(data))
    with suppress(StoreError):
        assert gather(store).rows["units"].height <= 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_bytes_that_are_no_manifest_are_a_value_error(data):
    with pytest.raises((ValueError, OtherVersionError)):
        from_json(data)


def test_a_folder_beside_the_manifests_is_no_part_of_the_store(store):
    published = publish(store, unit(), outcome())
    copy = store.read_bytes(manifest_path(unit().unit_id))
    store.write_bytes(f"manifests/backup/{unit().unit_id}.json", copy)
    store.write_bytes("manifests/notes.txt", b"mine")
    assert published_units(store) == [unit().unit_id]
    assert intact_manifests(store, check_content=True) == [published]


def test_a_unit_without_files_is_refused_unless_it_is_a_pilot(folder):
    with pytest.raises(WorkError, match="expected a unit to make at least one file"):
        publish(folder, unit(), Outcome(()))
    pilot = Unit("pilot", "pilot with base", 1)
    publish(folder, pilot, Outcome((), {"seconds": 1.0}))
    found = find(folder, pilot)
    assert found is not None
    assert found.cost == {"seconds": 1.0}


def test_an_object_overwritten_with_as_many_bytes_is_told_with_the_way_out(
    bucket, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    store = Store(bucket)
    first = publish(store, unit(), outcome())
    [table] = [file for file in first.files if file.name == "training_runs.parquet"]
    [weights] = [file for file in first.files if file.name == "model/weights.bin"]
    for file in (table, weights):
        store.write_bytes(file.path, b"x" * file.num_bytes)
    assert find(store, unit()) is not None
    readers: dict[str, list[Callable[[], object]]] = {
        table.path: [
            lambda: read_table(store, first, "training_runs"),
            lambda: data_files(store, [first], "training_runs"),
        ],
        weights.path: [lambda: checkpoint_folder(store, first, "model")],
    }
    for path, attempts in readers.items():
        for attempt in attempts:
            with pytest.raises(StoreError, match=f"{path}: .*remove that object.*is made again"):
                attempt()
        store.remove(path)
    assert find(store, unit()) is None
    assert publish(store, unit(), outcome()).ref == first.ref
    assert read_table(store, first, "training_runs").equals(RUNS)


def test_a_manifest_of_another_unit_is_not_believed(folder):
    publish(folder, unit(0), outcome())
    other = folder.read_bytes(manifest_path(unit(0).unit_id))
    folder.write_bytes(manifest_path(unit(1).unit_id), other)
    assert find(folder, unit(1)) is None


def test_another_schema_version_is_refused_with_what_to_do(folder):
    publish(folder, unit(), outcome())
    path = manifest_path(unit().unit_id)
    entry = json.loads(folder.read_bytes(path)) | {"schema_version": 0}
    folder.write_bytes(path, json.dumps(entry).encode())
    with pytest.raises(StoreError, match=r"schema version 0 is from an older pav.*--store"):
        find_many(folder, [unit()])


def test_the_first_good_result_stays_when_a_second_differs(folder):
    first = publish(folder, unit(), outcome(b"one"))
    assert publish(folder, unit(), outcome(b"two")) == first
    assert find(folder, unit()) == first


def test_find_many_returns_what_is_done_and_a_report_counts_it(store):
    manifests = [publish(store, unit(seed), outcome()) for seed in (0, 2)]
    units = [unit(seed) for seed in range(4)]
    done = find_many(store, units)
    assert list(done.values()) == manifests
    assert missing(store, units) == [units[1], units[3]]
    report = report_stage("train", manifests, costs={units[2].unit_id: 1.25})
    assert report.line == (
        "train (model, model_card.md, training_runs): 2 units, 1 reused, 1 made in 1.2 s"
    )


def test_the_state_of_a_long_unit_is_kept_until_it_is_published(store):
    assert load_partial(store, unit()) is None
    save_partial(store, unit(), b"step 100")
    save_partial(store, unit(), b"step 200")
    assert load_partial(store, unit()) == b"step 200"
    assert load_partial(store, unit(1)) is None
    publish(store, unit(), outcome())
    assert load_partial(store, unit()) is None
    drop_partial(store, unit())


def test_a_damaged_state_counts_as_none(folder):
    save_partial(folder, unit(), b"step 100")
    flip(folder, folder.list("partial")[0])
    assert load_partial(folder, unit()) is None


def test_the_ledger_keeps_every_event_in_order(store):
    record(store, unit(0), "started")
    record(store, unit(1), "started")
    record(store, unit(0), "failed", seconds=1.5, error="lost")
    good = {"event": "failed", "unit_id": "u", "stage": "s", "name": "n", "host": "h", "pid": 1,
            "at": "2026", "seconds": 1.0, "error": ""}  # fmt: skip
    junk = [b"{", b"5", b"[" * 100_000, *(json.dumps(each).encode() for each in (
        [good], good | {"at": 5}, good | {"error": None}, good | {"seconds": "1"}, {"event": "x"},
    ))]  # fmt: skip
    for number, data in enumerate(junk):
        store.write_bytes(f"ledger/other/{number}.json", data)
    events = executions(store)
    assert [(e["event"], e["name"]) for e in events] == [
        ("started", "q seed 0"), ("started", "q seed 1"), ("failed", "q seed 0"),
    ]  # fmt: skip
    assert (events[2]["seconds"], events[2]["error"], events[2]["pid"]) == (
        1.5,
        "lost",
        os.getpid(),
    )


PUBLISHER = """
import sys
from pav.tasks.store.manifests import find, publish
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit
store, mine = Store(sys.argv[1]), sys.argv[2].encode()
sys.stdin.read(1)
for number in range(20):
    unit = Unit("toy", f"{number}", 1, {"number": number})
    publish(store, unit, Outcome((Output("note.txt", mine * 1000),)))
"""


def test_two_processes_publishing_the_same_units_end_with_one_good_manifest_each(folder):
    command = [sys.executable, "-c", PUBLISHER, folder.root]
    both = [subprocess.Popen([*command, name], stdin=subprocess.PIPE) for name in ("a", "b")]
    for process in both:
        assert process.stdin
        process.stdin.write(b"go")
        process.stdin.close()
    assert [process.wait(60) for process in both] == [0, 0]
    units = [Unit("toy", f"{number}", 1, {"number": number}) for number in range(20)]
    done = find_many(folder, units)
    assert len(done) == 20
    for manifest in done.values():
        assert folder.read_bytes(manifest.files[0].path) in (b"a" * 1000, b"b" * 1000)


def test_finding_imports_neither_torch_nor_prefect(folder):
    publish(folder, unit(), outcome())
    code = (
        "import sys\n"
        "import pav.tasks.runner.batches, pav.tasks.runner.pool, pav.tasks.runner.prefect_server\n"
        "import pav.tasks.store.stage_report\n"
        "from pav.tasks.store.manifests import find_many\n"
        "heavy = {'torch', 'transformers', 'prefect', 's3fs', 'duckdb'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
