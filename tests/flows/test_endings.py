import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pav.flows import endings
from pav.models.errors import InputError, StoreError

PAV = str(Path(sys.executable).with_name("pav"))


def ended(command, advice="go on"):
    """Return the exit status that a command ends with."""
    with pytest.raises(SystemExit) as left:
        endings.end_with(command, advice=advice)
    return left.value.code


def raise_it(error):
    raise error


ENDS = {
    "done": (lambda: None, 0, ""),
    "a wrong input": (lambda: raise_it(InputError("bad")), 2, "pav: bad\n"),
    "failed work": (lambda: raise_it(StoreError("gone")), 1, "pav: gone\ngo on\n"),
    "an exit of its own": (lambda: sys.exit(2), 2, ""),
    "Ctrl-C": (lambda: signal.raise_signal(signal.SIGINT), 130, "pav: interrupted\ngo on\n"),
    "a request to end": (
        lambda: signal.raise_signal(signal.SIGTERM),
        143,
        "pav: terminated\ngo on\n",
    ),
}


@pytest.mark.parametrize(("command", "status", "said"), ENDS.values(), ids=ENDS)
def test_a_command_ends_with_its_status_and_its_words(capsys, command, status, said):
    before = signal.getsignal(signal.SIGTERM)
    assert ended(command) == status
    assert capsys.readouterr().err == said
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_nobody_foresaw_is_shown_whole_with_how_to_go_on(capsys):
    assert ended(lambda: dict[str, str]()["key"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("KeyError: 'key'\ngo on\n")


def test_without_advice_none_is_given(capsys):
    assert ended(lambda: raise_it(StoreError("gone")), advice="") == 1
    assert capsys.readouterr().err == "pav: gone\n"


def test_a_stop_is_told_though_the_work_failed_of_it(capsys):
    def command():
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise StoreError("a worker was lost") from None

    assert ended(command) == 143
    assert capsys.readouterr().err == "pav: terminated\ngo on\n"


def shell(command, folder):
    """Run a line of the shell in which "pav" is the command; return status, output and errors."""
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=folder,
        env={**os.environ, "PATH": f"{Path(PAV).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["pav sql --list", "pav --help", "pav status smoke --json"])
def test_a_full_standard_output_is_one_line(tmp_path, command):
    assert shell(f"{command} > /dev/full", tmp_path) == (
        1, "", "pav: standard output: No space left on device\n",
    )  # fmt: skip


def test_a_reader_that_went_away_needs_no_words(tmp_path):
    # The pipe is gone before `pav` writes: its reader ends at once, its writer starts later.
    line = "{ sleep 0.5; pav sql --list; echo $? > status; } | true"
    assert shell(line, tmp_path)[2] == ""
    assert (tmp_path / "status").read_text() == "1\n"


def test_closed_streams_are_told_or_replaced(tmp_path):
    status, _, err = shell("pav sql --list >&-", tmp_path)
    assert status == 1
    assert err == "pav: standard output is closed; send it to a file or to /dev/null\n"
    status, out, _ = shell("pav sql --list <&- 2>&-", tmp_path)
    assert (status, bool(out)) == (0, True)


COMMANDS = {
    command: [*command.split(), "--store", "gs://x"]
    for command in ("run smoke", "status smoke", "sql runs", "check", "doctor", "bench coverage",
                    "export trl --out o", "import plain rows.jsonl", "label --estimate")
}  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_an_address_of_another_kind_is_wrong_input_to_every_command(pav_here, tmp_path, arguments):
    (tmp_path / "rows.jsonl").write_text("{}\n")
    status, _, err = pav_here(*arguments)
    assert (status, err.count("\n")) == (2, 1)
    assert "expected a folder or an s3:// address" in err


@pytest.mark.parametrize("command", ["sql runs", "check", "export trl --out out.jsonl"])
def test_commands_without_units_say_nothing_of_units(pav_here, tmp_path, command):
    (tmp_path / "store").write_text("a file where a folder should be")
    status, _, err = pav_here(*command.split())
    assert status in (1, 2)
    assert "finished unit" not in err
