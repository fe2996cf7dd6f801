import io

import pytest

from pav.tasks.progress import StageProgress


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_plain_lines_come_every_five_seconds_with_rate_and_time_left(clock):
    out = io.StringIO()
    with StageProgress("label", 4, stream=out, clock=clock) as progress:
        clock.now = 2.0
        progress.finish("part 0")
        assert out.getvalue() == ""
        clock.now = 30.0
        progress.update("part 1", "10 prefixes/s", done=1, total=1)
        clock.now = 31.0
        progress.update("part 2", "too soon", done=1, total=2)
    assert out.getvalue() == (
        "label  50 % 1/4 units 4.0 units/min, 0:30 left | part 1: 10 prefixes/s\n"
    )


def test_the_last_unit_is_always_told(clock):
    out = io.StringIO()
    with StageProgress("train", 1, stream=out, clock=clock) as progress:
        clock.now = 1.0
        progress.finish("q seed 0")
    assert out.getvalue() == "train 100 % 1/1 units 60.0 units/min, 0:00 left | q seed 0\n"


def test_a_failure_is_told_at_once(clock):
    out = io.StringIO()
    with StageProgress("train", 2, stream=out, clock=clock) as progress:
        progress.update("q", "", done=1, total=2)
        progress.abandon("q", "train q: worker process ended with SIGKILL")
    assert out.getvalue() == "train q: worker process ended with SIGKILL\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with StageProgress("label", 2, stream=out, clock=clock) as progress:
        clock.now = 60.0
        progress.finish("part 0")
        progress.abandon("part 1", "gave out [not markup]")
    text = out.getvalue()
    assert "label" in text
    assert "1/2" in text
    assert "gave out [not markup]" in text
