import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.errors import InputError, StoreError
from pav.tasks.store.store import MissingFileError, Store, StoreUnreachableError


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path):
    if request.param == "s3":
        return Store(request.getfixturevalue("bucket"))
    return Store(str(tmp_path / "results"))


@pytest.fixture
def folder(tmp_path):
    return Store(str(tmp_path / "results"))


def test_what_is_written_is_read_listed_sized_and_removed(store):
    store.write_bytes("data/b/two", b"22")
    store.write_bytes("data/a", b"1")
    store.write_bytes("database", b"not under data/")
    assert store.read_bytes("data/b/two") == b"22"
    assert store.sizes("data") == {"data/a": 1, "data/b/two": 2}
    assert store.list("") == ["data/a", "data/b/two", "database"]
    assert store.size("data/a") == 1
    store.remove("data/a")
    store.remove("data/a")
    assert not store.exists("data/a")
    assert store.size("data/b") is None
    assert store.list("nothing") == []


def test_a_second_write_replaces_the_first(store):
    store.write_bytes("x", b"first, and longer")
    store.write_bytes("x", b"second")
    assert store.read_bytes("x") == b"second"
    assert store.list("") == ["x"]


def test_a_missing_file_is_its_own_error(store):
    with pytest.raises(MissingFileError, match=r"reading 'nothing'.*no such file"):
        store.read_bytes("nothing")


def test_a_store_travels_between_processes_as_its_root(store):
    store.write_bytes("x", b"1")
    assert pickle.loads(pickle.dumps(store)).read_bytes("x") == b"1"


def test_local_path_holds_the_content_and_follows_a_change(store):
    store.write_bytes("a/x.bin", b"one")
    assert store.local_path("a/x.bin").read_bytes() == b"one"
    assert store.local_path("a/x.bin").name == "x.bin"
    store.write_bytes("a/x.bin", b"two")
    assert store.local_path("a/x.bin").read_bytes() == b"two"


def test_check_writable_leaves_nothing_behind(store):
    store.check_writable()
    assert store.list("") == []


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a/../../b", "a\0b"])
def test_a_path_cannot_leave_the_store(tmp_path, path):
    with pytest.raises(StoreError, match="expected a relative path"):
        Store(str(tmp_path)).write_bytes(path, b"")


@pytest.mark.parametrize("root", ["s3://", "gs://bucket", "http://host/x"])
def test_an_address_of_another_kind_is_refused(root):
    with pytest.raises(InputError, match="expected"):
        Store(root)


def test_a_root_under_a_regular_file_is_one_clear_message(tmp_path):
    (tmp_path / "file").write_text("I am a file")
    store = Store(str(tmp_path / "file" / "store"))
    with pytest.raises(StoreError, match=r"/file' is a regular file.*another --store"):
        store.check_writable()
    with pytest.raises(StoreError, match="regular file stands where a folder is expected"):
        store.write_bytes("data/x", b"1")
    assert store.size("data/x") is None
    assert (tmp_path / "file").read_text() == "I am a file"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="not allowed"):
        Store(str(tmp_path / "store")).check_writable()
    tmp_path.chmod(0o700)


def test_a_bucket_that_is_not_there_is_a_store_error(bucket):
    with pytest.raises(StoreError, match="writing"):
        Store("s3://no-such-bucket-anywhere/x").check_writable()


def test_an_endpoint_that_does_not_answer_may_pass(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreUnreachableError, match="Everything published before is kept"):
        Store(bucket).read_bytes("x")


@pytest.fixture
def silent_endpoint(monkeypatch):
    """The connections that a server has accepted, which never answers any of them."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections = []

    def accept():
        with suppress(OSError):
            while True:
                connections.append(listener.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setattr("pav.tasks.store.store._S3_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr("pav.tasks.store.store._S3_WRITE_SECONDS", 0.2)
    yield connections
    listener.shutdown(socket.SHUT_RDWR)
    for each in (listener, *connections):
        each.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.read_bytes("x"),
        lambda store: store.write_bytes("x", b"1"),
        lambda store: store.size("x"),
        lambda store: store.sizes("manifests"),
        lambda store: store.remove("x"),
        Store.check_writable,
    ],
    ids=["read", "write", "size", "list", "remove", "check"],
)
def test_an_endpoint_that_accepts_and_never_answers_is_told_after_four_tries(
    bucket, silent_endpoint, ask
):
    with pytest.raises(StoreUnreachableError, match=r"Timeout[^:]*: \w.*once the store answers"):
        ask(Store(bucket))
    assert len(silent_endpoint) <= 4


def test_the_patience_with_s3_is_a_minute_in_all():
    from pav.tasks.store import store

    assert store._S3_ATTEMPTS**2 * store._S3_ANSWER_SECONDS <= 60
    assert store._S3_WRITE_SECONDS <= 60


FULL_DISK = """
import resource, sys
from pav.models.errors import InputError, StoreError
from pav.tasks.store.store import Store
store = Store(sys.argv[1])
store.write_bytes("data/small", b"kept")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    store.write_bytes("data/large", b"x" * 5000)
except StoreError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_what_was_there_and_nothing_half_written(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "disk is full" in run.stderr
    assert "kept" in run.stderr
    assert "run the same command again" in run.stderr
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["small"]


def test_what_a_killed_process_was_writing_is_swept_after_an_hour(folder):
    folder.write_bytes("manifests/good.json", b"{}")
    old, young = (
        Path(folder.root, "manifests", f".label-{n}.json.1-2.tmp") for n in ("old", "young")
    )
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 3700,) * 2)
    folder.sweep()
    assert sorted(path.name for path in old.parent.iterdir()) == [young.name, "good.json"]
    assert folder.list("") == ["manifests/good.json"]


def test_a_file_that_is_replaced_passes_its_mode_on(folder):
    folder.write_bytes("x", b"1")
    path = Path(folder.root, "x")
    path.chmod(0o640)
    folder.write_bytes("x", b"2")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"2", 0o640)


names = st.text("ab", min_size=1, max_size=2)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.tuples(names, names), st.binary(max_size=50), max_size=6))
def test_a_folder_store_is_a_dictionary_of_bytes(tmp_path_factory, files):
    store = Store(str(tmp_path_factory.mktemp("store")))
    for (folder, name), data in files.items():
        store.write_bytes(f"{folder}/{name}", data)
    found = {path: store.read_bytes(path) for path in store.list("")}
    assert found == {f"{folder}/{name}": data for (folder, name), data in files.items()}
