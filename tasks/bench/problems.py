"""`pav bench problems`: how long large hands take to solve, and the policy's exercises to read."""

import os
import time
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from pav.models.domains import domain_key
from pav.models.domains.countdown.hands import hands
from pav.models.policy.embedded import build_tokenizer
from pav.models.records import Problem
from pav.models.settings import ProblemSettings, RunSettings
from pav.tasks.bench.measuring import in_child, peak_bytes, timed
from pav.tasks.prepare.exercises import corpora, demonstrations, known_lessons, make_exercises
from pav.tasks.problems.embedded import embedded_problems
from pav.tasks.problems.plan import embedded_work
from pav.tasks.runner.progress import StageProgress

# Numbers in a hand -> seconds promised for solving and demonstrating 5,000 hands.
PROMISED = {5: 20.0, 6: 60.0}
# A problem should have so many demonstrations and other targets, where there are so many.
DEMONSTRATIONS, OTHER_TARGETS = 16, 4
_LIMITS = ("max_train", "max_validation", "max_test")


def bench_problems(settings: ProblemSettings) -> dict[str, Any]:
    """Return seconds, counts and peak memory for hands of five and of six numbers, as JSON.

    Everything else about the hands is as the settings say, but that all are solved, whatever the
    limits of the splits.
    """
    everything = {name: getattr(ProblemSettings(), name) for name in _LIMITS}
    asked = {
        count: settings.model_copy(
            update=everything | {"domain": "countdown", "num_numbers": (count,)}
        )
        for count in PROMISED
    }
    return {
        "bench": "problems",
        "num_cores": len(os.sched_getaffinity(0)),
        "hands": [
            {"num_numbers": count, "promised": PROMISED[count], **in_child(_measure, chosen)}
            for count, chosen in asked.items()
        ],
    }


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as a table and two lines for each number of numbers, for people."""
    lines = [f"{'one core':52} {'seconds':>8} {'of cores':>9} {'promised':>9}"]
    for each in figures["hands"]:
        check, show = each["check"], each["demonstrate"]
        both = {name: check[name] + show[name] for name in check}
        of = f"{each['num_candidates']:,} hands of {each['num_numbers']} numbers"
        lines += [
            _line(f"{of}: solvable or not", check),
            _line(f"  exercises of {each['num_train']:,} training problems", show),
            _line("  both", both, f"{each['promised']:g}"),
            _line("  those exercises as token ids, solved again", each["read"]),
            f"  {each['num_problems'] / each['num_candidates']:.1%} solvable; demonstrations of a "
            f"training problem: {each['demonstrations_mean']:.1f}, at least {DEMONSTRATIONS} for "
            f"{each['demonstrations_enough']:.1%}, all there are for the others",
            f"  other targets: {each['targets_mean']:.1f}, at least {OTHER_TARGETS} for "
            f"{each['targets_enough']:.1%}; longest silence {each['silence_seconds']:.1f} s; "
            f"peak memory {each['peak_bytes'] / 2**30:.2f} GiB",
        ]
    return "\n".join(lines)


def _line(name: str, timed: Mapping[str, float], promised: str = "") -> str:
    row = f"{name:52} {timed['seconds']:8.2f} {timed['cpu_seconds']:9.2f} {promised:>9}"
    return row.rstrip()


class _Listener:
    """Shows progress as a stage does, and keeps the longest time without any."""

    def __init__(self, bar: StageProgress) -> None:
        self._bar, self._last = bar, time.perf_counter()
        self.longest_silence = 0.0

    def __call__(self, text: str, done: float = 0, total: float = 1) -> None:
        now = time.perf_counter()
        self.longest_silence = max(self.longest_silence, now - self._last)
        self._last = now
        self._bar.update("bench", text, done=done, total=total)


def _measure(settings: ProblemSettings) -> dict[str, Any]:
    [num_numbers] = settings.num_numbers
    run = RunSettings(problems=settings)
    check: dict[str, float] = {}
    show: dict[str, float] = {}
    read: dict[str, float] = {}
    with StageProgress(f"{num_numbers} numbers", 3) as bar:
        tell = _Listener(bar)
        with timed(check):
            problems = embedded_problems(embedded_work(run), progress=tell)
        bar.finish("hands checked")
        with timed(show):
            counts = _demonstrate(domain_key(run), problems, tell)
        bar.finish("problems demonstrated")
        with timed(read):
            corpora(domain_key(run), problems, build_tokenizer(), tell=tell)
        bar.finish("demonstrations read")
    return {
        "num_candidates": len(hands(highest=settings.highest, num_numbers=num_numbers)),
        "num_problems": len(problems),
        "check": check, "demonstrate": show, "read": read, **counts,
        "silence_seconds": tell.longest_silence, "peak_bytes": peak_bytes(),
    }  # fmt: skip


def _demonstrate(key: str, problems: list[Problem], tell: _Listener) -> dict[str, float]:
    """Make the exercises of every training problem and demonstrate each, as `pretrain` does."""
    lessons = known_lessons(key)
    train = [problem for problem in problems if problem.split == "train"]
    held_out = [problem for problem in problems if problem.split != "train"]
    paths_of_each, targets_of_each = [], []
    for number, problem in enumerate(train):
        tell("problems demonstrated", number, len(train))
        exercises = make_exercises(key, [problem], held_out)
        asked = {each.canonical_key: each for each in exercises}
        paths = {
            name: demonstrations(lessons, each, is_given=name == problem.canonical_key)
            for name, each in asked.items()
        }
        paths_of_each.append(len(paths[problem.canonical_key]))
        targets_of_each.append(len(paths) - 1)
    return {
        "num_train": len(train),
        "demonstrations_mean": fmean(paths_of_each),
        "demonstrations_enough": fmean(each >= DEMONSTRATIONS for each in paths_of_each),
        "targets_mean": fmean(targets_of_each),
        "targets_enough": fmean(each >= OTHER_TARGETS for each in targets_of_each),
    }
