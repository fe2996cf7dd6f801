import os
import stat
from pathlib import Path

import pytest

from pav.models.errors import InputError
from pav.tasks.store.out_files import check_out, write_out, write_rows


def test_rows_are_written_a_line_each_and_leave_no_temporary(tmp_path):
    write_rows(str(tmp_path / "out.jsonl"), ["a", "b"])
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert (tmp_path / "out.jsonl").read_text() == "a\nb\n"


def test_an_existing_file_keeps_its_mode(tmp_path):
    path = tmp_path / "secret.jsonl"
    path.write_text("old")
    path.chmod(0o600)
    write_out(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symlink_stays_and_its_target_is_written(tmp_path):
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(Path("folder") / "target")
    check_out(str(link))
    write_out(str(link), b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_symlink_to_a_file_to_come_makes_that_file(tmp_path):
    (tmp_path / "link").symlink_to("later")
    write_out(str(tmp_path / "link"), b"new")
    assert (tmp_path / "later").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def make_fifo(path):
    os.mkfifo(path)


def make_link_to_fifo(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def make_socket(path):
    os.mknod(path, stat.S_IFSOCK | 0o600)


def make_loop(path):
    path.symlink_to(path.name)


def make_link_to_nowhere(path):
    path.symlink_to("no/such/folder")


WRONG = {
    "a folder": (Path.mkdir, "got a folder"),
    "a FIFO": (make_fifo, "got a FIFO"),
    "a symlink to a FIFO": (make_link_to_fifo, "got a FIFO"),
    "a socket": (make_socket, "got a socket"),
    "a symlink to itself": (make_loop, "symbolic links"),
    "a symlink to nowhere": (make_link_to_nowhere, "in a folder that can be written"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("attempt", [check_out, lambda path: write_out(path, b"x")])
def test_what_is_no_regular_file_is_refused_and_stays_as_it_is(tmp_path, make, message, attempt):
    path = tmp_path / "out"
    make(path)
    before = os.lstat(path)
    with pytest.raises(InputError, match=f"--out: .*{message}"):
        attempt(str(path))
    assert os.lstat(path) == before


@pytest.mark.parametrize("path", ["/dev/null", "/dev/full"])
def test_a_device_is_refused(path):
    with pytest.raises(InputError, match=f"got a character device at '{path}'"):
        check_out(path)


@pytest.mark.parametrize("path", ["", "no/out.jsonl", "x" * 300])
def test_a_path_where_no_file_can_be_is_refused(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="--out: expected a file in a folder that can be written"):
        check_out(path)
