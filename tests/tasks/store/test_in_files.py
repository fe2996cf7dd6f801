import os
import socket
from pathlib import Path

import pytest

from pav.models.domains.math.domain import Math
from pav.models.errors import InputError
from pav.models.settings import ProblemSettings, RunSettings
from pav.tasks.grade.files import read_rows
from pav.tasks.imports.plan import plan_import
from pav.tasks.problems.plan import plan_problems
from pav.tasks.store.in_files import read_file


def refused(path):
    with pytest.raises(InputError) as caught:
        read_file(str(path), asked_by="problems.path")
    return str(caught.value)


def test_a_file_is_read_also_through_a_link(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"a,b\n")
    (tmp_path / "link.csv").symlink_to("rows.csv")
    assert read_file(str(tmp_path / "link.csv"), asked_by="problems.path") == b"a,b\n"


def test_what_never_ends_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert "'/dev/zero' is a device" in refused("/dev/zero")
        assert "is a socket" in refused(tmp_path / "socket")
    message = refused(tmp_path / "pipe")
    assert message.startswith("problems.path: expected a regular file")
    assert "is a pipe (FIFO)" in message


def test_what_is_not_there_is_told_with_the_reason(tmp_path):
    assert "No such file" in refused(tmp_path / "none")
    assert "Is a directory" in refused(tmp_path)
    assert "null byte" in refused("a\0b")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    name = os.fsdecode(bytes(tmp_path) + b"/\xff.jsonl")
    Path(name).write_bytes(b"{}")
    assert "expected a file name in UTF-8" in refused(name)


READERS = {
    "import": lambda path: plan_import(
        path, form="plain", policy="", settings=RunSettings(problems={"domain": "math"})
    ),
    "problems": lambda path: plan_problems(RunSettings(problems=ProblemSettings(path=path))),
    "grade": lambda path: read_rows(path, Math()),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_no_reader_of_rows_waits_for_a_pipe(tmp_path, read):
    os.mkfifo(tmp_path / "rows.jsonl")
    with pytest.raises(InputError, match="is a pipe"):
        read(str(tmp_path / "rows.jsonl"))
