import io

import pytest

from pav.tasks.runner.progress import StageProgress, announced


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def lines(out):
    return out.getvalue().splitlines()


def test_the_first_line_comes_at_once_and_others_every_five_seconds_with_rate_and_time_left(clock):
    out = io.StringIO()
    with StageProgress("label", 4, stream=out, clock=clock) as progress:
        assert lines(out) == ["label   0 %, 0 of 4 units | starting workers"]
        clock.now = 2.0
        progress.finish("part 0")
        assert len(lines(out)) == 1
        clock.now = 30.0
        progress.update("part 1", "10 prefixes/s", done=1, total=1)
        clock.now = 31.0
        progress.update("part 2", "too soon", done=1, total=2)
    assert lines(out)[1:] == [
        "label  50 %, 1 of 4 units, 4.0 a minute, 0:30 left of label | part 1: 10 prefixes/s"
    ]


def test_the_last_unit_is_always_told_and_one_unit_has_no_rate(clock):
    out = io.StringIO()
    with StageProgress("train", 1, seconds_after=0.0, stream=out, clock=clock) as progress:
        clock.now = 1.0
        progress.finish("q seed 0")
    assert lines(out)[1:] == ["train 100 %, 1 of 1 unit, 0:00 left | q seed 0"]


def test_the_time_left_of_the_run_is_told_where_that_of_later_stages_is_known(clock):
    out = io.StringIO()
    with StageProgress("label", 1, seconds_after=600.0, stream=out, clock=clock) as progress:
        clock.now = 60.0
        progress.update("label train 0", "problems", done=1, total=2)
    assert lines(out)[1:] == [
        "label  50 %, 0 of 1 unit, 1:00 left of label, 11:00 of the run | train 0: problems"
    ]


def test_a_name_that_the_message_has_is_not_told_twice(clock):
    out = io.StringIO()
    with StageProgress("train", 2, stream=out, clock=clock) as progress:
        clock.now = 6.0
        progress.update("train q, seed 0", "train q, seed 0: loss 0.5", done=1, total=2)
    assert lines(out)[1].endswith(" | q, seed 0: loss 0.5")


def test_a_stage_whose_units_are_silent_still_tells_that_it_goes_on(clock, wait_until):
    out = io.StringIO()
    with StageProgress("train", 2, stream=out, clock=clock):
        clock.now = 6.0
        assert wait_until(lambda: len(lines(out)) == 2, seconds=20)
    assert lines(out)[1] == "train   0 %, 0 of 2 units | starting workers"


def test_what_is_announced_is_told_at_once_and_again_while_it_lasts(
    capsys, monkeypatch, wait_until
):
    monkeypatch.setattr("pav.tasks.runner.progress.LINE_SECONDS", 0.01)
    told = []

    def has_repeated():
        told.extend(capsys.readouterr().err.splitlines())
        return len(told) >= 2

    with announced("starting"):
        assert wait_until(has_repeated, seconds=20)
    assert told[:2] == ["starting …", "starting … 0 s"]


def test_a_failure_is_told_at_once(clock):
    out = io.StringIO()
    with StageProgress("train", 2, stream=out, clock=clock) as progress:
        progress.update("q", "", done=1, total=2)
        progress.abandon("q", "train q: worker process ended with SIGKILL")
    assert lines(out)[1:] == ["train q: worker process ended with SIGKILL"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_that_its_note_does_not_squeeze(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    with StageProgress("label", 2, stream=out, clock=clock) as progress:
        clock.now = 60.0
        progress.finish("part 0 " * 30)
        progress.abandon("part 1", "gave out [not markup]")
    text = out.getvalue()
    assert "1 of 2 units, 1.0 a minute" in text
    assert "━" * 10 in text
    assert "…" in text
    assert "gave out [not markup]" in text
