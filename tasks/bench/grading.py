"""`pav bench grading`: agreement of verdicts with labelled data, their rate, and the slowest one.

The user gives the data: a folder with `gsm8k/` and `math/` as their sources publish them. The bench
keeps no copy.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pav.models.agreement import agreement
from pav.models.domains.math.domain import Math
from pav.models.domains.math.forms import forget
from pav.models.errors import InputError
from pav.models.records import Doubt, Grading, Prefix, Problem, Verdict
from pav.models.settings import GradeSettings
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import GradingPool
from pav.tasks.store.in_files import decoded, read_file

SOLUTIONS = "gsm8k/example_model_solutions.jsonl"
WORKED = {
    "GSM8K train": ("gsm8k/train.jsonl", "question", "answer"),
    "GSM8K test": ("gsm8k/test.jsonl", "question", "answer"),
    "MATH test": ("math/test.jsonl", "problem", "solution"),
}
# How models announce an answer; the answers of GSM8K are said in each of these ways.
SAID = ("The answer is {}.", "the final answer is ${}$. I hope it is correct.", "**Answer:** {}",
        "Final answer: **{}**", "A: {} dollars")  # fmt: skip
REPEATS = 3
VERDICTS_PER_SECOND = 20_000
_MOST_LISTED = 20
# Each of these made some grader hang, crash or use up the memory.
NASTY = (
    "9**9**9", "9^{9^{9}}", "9^{9^{9^{9}}}", "99999999!", r"\binom{10^9}{5 \cdot 10^8}",
    "(" * 5_000 + "1" + ")" * 5_000, "{" * 900 + "1" + "}" * 900, "x^{" * 250 + "2" + "}" * 250,
    r"\frac{1}{" * 200 + "2" + "}" * 200, r"\boxed{" * 10_000, "7" * 100_000, "7" * 1_900,
    "1" + "+1" * 900, "(x+1)^{3000}", r"\int_0^1 e^{e^{x^{x}}} dx", "1\x002", "\u200f18\u202e",
    r"\sum_{n=1}^{10^{12}} \frac{1}{n^{3.3}}", "\ud800", "\\", "{" * 50_000, "}" * 50_000, "",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A response, its problem, and whether it is right."""

    problem: Problem
    response: Prefix
    is_right: bool


def bench_grading(folder: str, settings: GradeSettings) -> dict[str, Any]:
    """Return agreement, gold answers accepted, verdicts a second and the worst time, as JSON."""
    family = Math()
    solutions = list(_solutions(Path(folder), family))
    grader = Grader(family, GradingPool(settings))
    try:
        return {
            "bench": "grading",
            "start_seconds": _start(grader),
            **_rates(family, settings, solutions),
            "promised_per_second": VERDICTS_PER_SECOND,
            "agreement": _agreement(grader, solutions),
            "gold": [_gold(name, Path(folder), family, grader) for name in WORKED],
            "said": [_said(form, Path(folder), family, grader) for form in SAID],
            "limit_seconds": settings.limit_seconds,
            "nasty": _nasty(settings),
        }
    finally:
        grader.close()


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    agreed = figures["agreement"]
    rate = f"{figures['verdicts_per_second']:,.0f} (promised {figures['promised_per_second']:,})"
    rows = [("verdicts/s, distinct GSM8K solutions, cold", rate)]
    rate = f"{figures['verdicts_per_processor_second']:,.0f}"
    rows.append(("the same, per second of processor time", rate))
    rows.append(("start of a grading process", f"{figures['start_seconds']:.2f} s"))
    rows.append(("agreement with is_correct", f"{agreed['agreeing']:,} of {agreed['rows']:,}"))
    for gold in figures["gold"]:
        rows.append((f"gold accepted, {gold['name']}", f"{gold['accepted']:,} of {gold['rows']:,}"))
        rows += [(f"  line {each['line']}", each["reason"]) for each in gold["refused"]]
    for said in figures["said"]:
        rows.append((f"said as {said['name']}", f"{said['accepted']:,} of {said['rows']:,}"))
    worst = figures["nasty"]["slowest"]
    seconds = f"{worst['seconds']:.2f} s (limit {figures['limit_seconds']:g} s)"
    rows.append(("slowest nasty expression", f"{seconds}: {worst['answer']!r}"))
    rows.append(("nasty expressions called right", str(figures["nasty"]["num_correct"])))
    return "\n".join(f"{name:44} {value}" for name, value in rows)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = decoded(str(path), read_file(str(path), asked_by="--data"))
    except InputError as error:
        files = ", ".join(name for name, *_ in WORKED.values())
        raise InputError(f"{error}; expected a folder with {SOLUTIONS} and {files}") from None
    yield from map(json.loads, filter(str.strip, text.split("\n")))


def _solutions(folder: Path, family: Math) -> Iterator[Case]:
    """Yield the labelled solutions of four models, each with its problem."""
    for row in _rows(folder / SOLUTIONS):
        problem = family.problem(row["question"], row["ground_truth"], problem_id="", split="test")
        for value in row.values():
            if isinstance(value, dict):
                yield Case(problem, _finished(value["solution"]), value["is_correct"])


def _finished(text: str) -> Prefix:
    return Prefix("", (text,), is_finished=True)


def _start(grader: Grader) -> float:
    """Return the seconds of a first symbolic comparison, nearly all of them imports."""
    problem = Math().problem("", "x + 1", problem_id="start", split="test")
    started = time.perf_counter()
    grader.grade([(problem, _finished("#### 1 + x"))])
    return time.perf_counter() - started


def _rates(family: Math, settings: GradeSettings, cases: Sequence[Case]) -> dict[str, float]:
    """Return the best verdicts a second of a few repeats, by the clock and by processor time.

    Processor time is this process's; on a busy machine it tells what an idle one would do.
    """
    repeats = [_rate(family, settings, cases) for _ in range(REPEATS)]
    by_clock, by_processor = zip(*repeats, strict=True)
    return {
        "verdicts_per_second": max(by_clock),
        "verdicts_per_processor_second": max(by_processor),
    }


def _rate(family: Math, settings: GradeSettings, cases: Sequence[Case]) -> tuple[float, float]:
    """Return the verdicts a second on distinct solutions, with nothing remembered of earlier.

    The process that compares symbolically has started before: a run starts it once.
    """
    distinct = list({(case.problem.problem_id, case.response): case for case in cases}.values())
    grader = Grader(family, GradingPool(settings))
    _start(grader)
    forget()
    started, worked = time.perf_counter(), time.process_time()
    grader.grade([(case.problem, case.response) for case in distinct])
    seconds, busy_seconds = time.perf_counter() - started, time.process_time() - worked
    grader.close()
    return len(distinct) / seconds, len(distinct) / busy_seconds


def _agreement(grader: Grader, cases: Sequence[Case]) -> dict[str, int]:
    gradings = grader.grade([(case.problem, case.response) for case in cases])
    pairs = zip((case.is_right for case in cases), gradings, strict=True)
    found = agreement((right, grading.verdict) for right, grading in pairs)
    return {"rows": found.num_rows, "agreeing": found.num_agreeing}


def _gold(name: str, folder: Path, family: Math, grader: Grader) -> dict[str, Any]:
    """Return how many worked answers a file's own final answers accept, and which they do not."""
    file, question, worked = WORKED[name]
    rows = list(_rows(folder / file))
    pairs = [_worked(family, row[question], row[worked]) for row in rows]
    gradings = grader.grade(pairs)
    refused = [
        {"line": line, "reason": f"{grading.verdict}: {grading.reason}"}
        for line, grading in enumerate(gradings, start=1)
        if grading.verdict != Verdict.CORRECT
    ]
    accepted = len(rows) - len(refused)
    return {"name": name, "rows": len(rows), "accepted": accepted,
            "refused": refused[:_MOST_LISTED]}  # fmt: skip


def _said(form: str, folder: Path, family: Math, grader: Grader) -> dict[str, Any]:
    """Return how many answers of GSM8K are called right where a worked answer says them so."""
    files = [WORKED[name] for name in ("GSM8K train", "GSM8K test")]
    pairs = [
        (problem, _finished(problem.answer.rpartition("####")[0] + form.format(answer)))
        for file, question, worked in files
        for row in _rows(folder / file)
        for problem, _ in [_worked(family, row[question], row[worked])]
        for answer in [problem.answer.rpartition("####")[2].strip()]
    ]
    verdicts = [grading.verdict for grading in grader.grade(pairs)]
    return {"name": form, "rows": len(pairs), "accepted": verdicts.count(Verdict.CORRECT)}


def _worked(family: Math, question: str, worked: str) -> tuple[Problem, Prefix]:
    return family.problem(question, worked, problem_id="", split="test"), _finished(worked)


def _nasty(settings: GradeSettings) -> dict[str, Any]:
    """Return the slowest of the nasty answers, and how many of them were called right.

    The process that a killed one is replaced by is started, by an easy pair, before the clock.
    """
    family = Math()
    problem = family.problem("", "x^2+18", problem_id="nasty", split="test")
    timed = []
    pool = GradingPool(settings)
    for answer in NASTY:
        pool.compare([Doubt("x", "1 x")])
        started = time.perf_counter()
        first = family.grade(problem, _finished(f"#### {answer}"))
        is_right = _is_right(first, pool)
        timed.append((time.perf_counter() - started, answer[:32], is_right))
    pool.close()
    seconds, answer, _ = max(timed)
    num_correct = sum(is_right for *_, is_right in timed)
    return {"slowest": {"seconds": seconds, "answer": answer}, "num_correct": num_correct,
            "num_answers": len(NASTY)}  # fmt: skip


def _is_right(first: Grading | Doubt, pool: GradingPool) -> bool:
    if isinstance(first, Grading):
        return first.verdict == Verdict.CORRECT
    return bool(pool.compare([first])[0].is_same)
