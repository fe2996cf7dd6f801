"""`pav sql` and `pav check` as a person uses them: on a terminal, in a pipe, and interrupted."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pav.tasks.database.publishing import publish_database
from pav.tasks.store.store import Store

PAV = str(Path(sys.executable).with_name("pav"))
HOSTILE = r"select '\x1b[2J' || chr(27) || '[31m' || chr(13) as x"


@pytest.fixture
def folder(tmp_path):
    publish_database(Store(str(tmp_path / "store")))
    return tmp_path


def sql(folder, *arguments, **more):
    return subprocess.run([PAV, "sql", *arguments], cwd=folder, capture_output=True, check=False,
                          **more)  # fmt: skip


def test_a_question_can_come_on_standard_input(folder):
    done = sql(folder, "-", "--format", "jsonl", input=b"select 1 as a;\n-- the end\n")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"a": 1})
    assert sql(folder, "-", input=b"\n").returncode == 2


@pytest.mark.parametrize(
    "question",
    [
        "select 1 as a, 2 as a",
        "select interval 1 year",
        "select union_value(a := 1)",
        "select 'infinity'::timestamp",
        "select 340282366920938463463374607431768211455::uhugeint",
    ],
)
def test_every_type_is_an_answer_and_never_a_traceback(folder, question):
    done = sql(folder, question, "--format", "csv")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_wrong_question_keeps_what_duckdb_suggests(folder):
    done = sql(folder, "select nam from policies")
    assert done.returncode == 2
    assert b'Candidate bindings: "name"' in done.stderr
    assert b"same command goes on" not in done.stderr


def on_terminal(folder, *arguments, columns=60):
    """Return what a terminal of that width is sent."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    done = subprocess.run([PAV, "sql", *arguments], cwd=folder, stdout=theirs, check=True,
                          env=environment)  # fmt: skip
    os.close(theirs)
    with io.FileIO(ours) as terminal:
        data = b""
        while True:
            try:
                chunk = terminal.read(65536)
            except OSError:
                break
            if not chunk:
                break
            data += chunk
    assert done.returncode == 0
    return data.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("kind", ["table", "csv", "json", "jsonl"])
def test_no_control_character_reaches_a_terminal(folder, kind):
    text = on_terminal(folder, HOSTILE, "--format", kind)
    assert not set(text) & {"\x1b", "\r", "\x07"}
    assert "[31m" in text


def test_a_pipe_gets_the_characters_as_they_are(folder):
    assert b"\x1b[31m" in sql(folder, HOSTILE, "--format", "csv").stdout


def test_a_table_is_as_wide_as_the_terminal_and_whole_in_a_pipe(folder):
    question = "select repeat('x', 200) as a, 1 as b"
    text = on_terminal(folder, question)
    assert max(map(len, text.splitlines())) <= 60
    assert "x" * 200 in sql(folder, question).stdout.decode()


@pytest.mark.parametrize("command", ["sql", "check"])
def test_ctrl_c_ends_a_question_with_one_line_and_status_130(folder, command, wait_until):
    question = ["select count(*) from range(100000000000)"] if command == "sql" else []
    if command == "check":
        _slow_checks(folder)
    process = subprocess.Popen([PAV, command, *question], cwd=folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    try:
        assert wait_until(lambda: "labels.duckdb" in _open_files(process.pid), seconds=100)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, "", "pav: interrupted\n")


def _open_files(pid):
    links = Path(f"/proc/{pid}/fd")
    try:
        return {Path(os.readlink(link)).name for link in links.iterdir()}
    except OSError:
        return set()


def _slow_checks(folder):
    """Make a view that a check reads take for ever."""
    import duckdb

    with duckdb.connect(str(folder / "store" / "labels.duckdb")) as connection:
        connection.execute("drop view first_errors").fetchall()
        connection.execute("create or replace view step_values as select solution_id, num_steps, "
                           "prefix_id, policy_id, problem_id, is_terminal, value from step_values, "
                           "range(100000000000)").fetchall()  # fmt: skip


def test_a_full_standard_output_is_one_message(folder):
    with Path("/dev/full").open("wb") as full:
        command = [PAV, "sql", "from range(9)", "--format", "csv"]
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "pav: standard output: No space left on device\n"


def test_a_reader_that_goes_away_is_no_error(folder):
    command = f"{PAV} sql 'from range(2000000)' --format csv | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=folder, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"range\n", b"")


@pytest.mark.parametrize("command", [["sql", "labels"], ["status", "smoke"], ["check"]])
def test_an_address_that_is_no_store_is_wrong_input_everywhere(folder, command):
    done = subprocess.run([PAV, *command, "--store", "gs://x"], cwd=folder, capture_output=True,
                          check=False)  # fmt: skip
    assert done.returncode == 2
