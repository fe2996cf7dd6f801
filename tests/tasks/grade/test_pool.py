import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pav.models.errors import WorkError
from pav.models.records import Doubt
from pav.models.settings import GradeSettings
from pav.tasks.grade.pool import TIMED_OUT, Comparison, GradingPool

HANGS = "9^{9^{9}}"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pool():
    pool = GradingPool(GradeSettings(limit_seconds=5, processes=2))
    yield pool
    pool.close()


def said(pool, pairs):
    return [each.is_same for each in pool.compare([Doubt(*pair) for pair in pairs])]


SAME = [
    ("x^2+2x+1", "(x+1)^2"), (r"2\sqrt{3}", r"\sqrt{12}"), ("1/3", "0.333333"), ("50%", "0.5"),
    (r"\frac{1}{2004!}", "1/2004!"), ("n=1,2,3", "3, 2, 1"), (r"\pm 2", "2, -2"), ("x=5", "5"),
    (r"10\text{ cm}", "10"), ("(C)", "C"), ("10^3", "1000"), ("0", "x-x"), (r"2\frac12", "5/2"),
    (r"(-\infty,2)\cup(3,\infty)", r"(3,\infty)\cup(-\infty,2)"), ("x+11, 11+x", "11+x"),
]  # fmt: skip
# Each was called right by some grader in use, or nearly is right.
DIFFERENT = [
    ("1/2004!", "1/2006!"), (r"\frac{1}{2004!}", r"\frac{1}{2006!}"), ("n=2,3,4", "n=1,2,3"),
    ("18", "18, 19"), ("5", "5 or 6"), ("18", "1 8"), ("5", "not 5"), ("5", "5x"), ("x=5", "y=5"),
    (r"10\text{ cm}", r"10\text{ m}"), ("11_3", "11_2"), ("(1,2)", "(2,1)"), ("[1,2)", "[1,2]"),
    ("0", "10^{-20}"), ("5", "5 million"), ("x^2+2x+1", "(x+1)^3"), ("i", "-i"), ("3", "1<3"),
    (r"(-\infty,2)\cup(3,\infty)", r"(3,\infty)"), ("7", "There are 2 of 7"), (r"\infty", "0"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}"),
]  # fmt: skip


@pytest.mark.slow
def test_the_same_answers_written_otherwise_are_the_same(pool):
    assert [pair for pair, same in zip(SAME, said(pool, SAME), strict=True) if not same] == []


@pytest.mark.slow
def test_wrong_answers_that_look_right_are_not(pool):
    found = zip(DIFFERENT, said(pool, DIFFERENT), strict=True)
    assert [pair for pair, same in found if same is not False] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    ["1\x002", "\u200f18\u202e", "\ud800", "\\", "{", "}" * 1_000, "", "(" * 5_000, "9**9**9"],
)
def test_strange_text_is_another_answer_or_none(pool, answer):
    assert said(pool, [("x^2+18", answer)]) == [False]


@pytest.mark.slow
def test_a_comparison_that_hangs_is_killed_and_the_others_are_answered(is_alive):
    with_limit = GradingPool(GradeSettings(limit_seconds=1, processes=2))
    said(with_limit, [("x", "1 x")])
    before = {process.pid for process in with_limit.processes}
    started = time.monotonic()
    pairs = [Doubt("x+1", HANGS), Doubt("x+1", "1+x"), Doubt("x+1", "x+2")]
    found = with_limit.compare(pairs)
    assert time.monotonic() - started < 1 + 10
    assert found == [Comparison(None, TIMED_OUT), Comparison(True), Comparison(False)]
    assert [pid for pid in before if is_alive(pid)] == [
        process.pid for process in with_limit.processes if process.pid in before
    ]
    with_limit.close()
    assert not any(map(is_alive, before))


@pytest.mark.slow
def test_a_process_that_dies_costs_its_pair_alone():
    alone = GradingPool(GradeSettings(limit_seconds=20))
    said(alone, [("x", "1 x")])
    [process] = alone.processes
    process.ask(0, Doubt("x+1", HANGS))
    os.kill(process.pid, 9)
    assert process.receive() == Comparison(None, "grader gave out: its process died")
    alone.close()
    assert said(alone, [("x+1", "1+x")]) == [True]
    alone.close()


@pytest.mark.slow
def test_a_hanging_process_ends_soon_after_its_parent_is_killed(is_alive, wait_until):
    code = (
        "from pav.models.records import Doubt\n"
        "from pav.models.settings import GradeSettings\n"
        "from pav.tasks.grade.pool import GradingPool\n"
        "pool = GradingPool(GradeSettings(limit_seconds=3))\n"
        "pool.compare([Doubt('x', '1 x')])\n"
        "print(pool.processes[0].pid, flush=True)\n"
        f"pool.compare([Doubt('x', '{HANGS}')])\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not is_alive(child), seconds=10)


def test_a_process_that_cannot_start_says_so(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    pool = GradingPool(GradeSettings())
    with pytest.raises(WorkError, match="before it could compare anything; is math-verify"):
        pool.compare([Doubt("x", "y")])
    pool.close()


def test_what_a_process_printed_before_it_gave_up_is_told(monkeypatch, tmp_path):
    (tmp_path / "math_verify.py").write_text("raise ImportError('half installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pool = GradingPool(GradeSettings())
    told = r"grading process ended with exit status 1 .* It printed: ImportError: half installed$"
    with pytest.raises(WorkError, match=told):
        pool.compare([Doubt("x", "y")])
    pool.close()
