"""Worked examples: solutions step by step, with what labels and verifiers say of each step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice, pairwise

import polars as pl

from pav.models.domains.kind import Solver
from pav.models.labels.estimators import best_of_array, best_of_formula, value
from pav.models.records import Prefix, Problem
from pav.tasks.report.arm_names import prover_label

Numbers = tuple[float | None, ...]


@dataclass(frozen=True)
class Track:
    """Values along one solution under one policy, the bare problem first; None where unknown."""

    name: str
    labelled: Numbers
    scored: Numbers


@dataclass(frozen=True)
class Example:
    """One solution, why it is shown, and the tracks of base and provers along it."""

    heading: str
    question: str
    answer: str
    split: str
    verdict: str
    reason: str
    wrong_step: int | None
    steps: tuple[str, ...]
    counts: tuple[str, ...]
    is_solvable: tuple[bool | None, ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True)
class ExampleTables:
    """What examples are made from, as the data sets name it."""

    problems: pl.DataFrame
    solutions: pl.DataFrame
    scores: pl.DataFrame
    # None where the problems' domain has no exact solver.
    solver: Solver | None


def advantages_along(values: Sequence[float | None]) -> Numbers:
    """Return each step's change of value, None for the bare problem and where one is unknown."""
    changes = (
        None if before is None or after is None else after - before
        for before, after in pairwise(values)
    )
    return (None, *changes)


def worked_examples(tables: ExampleTables, *, count: int, main_k: int) -> list[Example]:
    """Return up to `count` examples on different problems; the same for the same tables."""
    scores = tables.scores.filter(pl.col("pipeline_seed") == pl.col("pipeline_seed").min())
    candidates = _candidates(tables.solutions, scores)
    problems = {row["problem_id"]: row for row in tables.problems.to_dicts()}
    chosen: list[Example] = []
    seen: set[str] = set()
    for heading, rank in islice(cycle(_KINDS), 2 * count):
        found = _best(candidates, rank, seen=seen)
        if found is not None and len(chosen) < count:
            seen.add(str(found["problem_id"]))
            mine = scores.filter(pl.col("solution_id") == found["solution_id"])
            problem = problems[found["problem_id"]]
            known = _truth(problem, _steps(found), tables.solver)
            chosen.append(_example(heading, problem, found, mine, known=known, main_k=main_k))
    return chosen


def _candidates(solutions: pl.DataFrame, scores: pl.DataFrame) -> list[dict[str, object]]:
    """Return finished solutions scored by the Q network, with last score, drop and rise."""
    by_step = scores.filter(pl.col("verifier") == "q").sort("solution_id", "num_steps")
    change = pl.col("score").diff()
    summary = by_step.group_by("solution_id", maintain_order=True).agg(
        pl.col("score").first().alias("first_score"),
        pl.col("score").last().alias("last_score"),
        change.min().alias("drop"),
        pl.col("num_steps").gather(change.arg_min()).first().alias("drop_step"),
    )
    is_shown = pl.col("verdict").is_in(["correct", "wrong"]) & (pl.col("num_steps") > 1)
    finished = solutions.filter(is_shown)
    joined = finished.unique("solution_id").join(summary, on="solution_id")
    return joined.sort("solution_id").to_dicts()


# A smaller change of the score is no sign that the verifier noticed anything.
_LEAST_DROP = 0.1


def _seen_error(row: Mapping[str, object]) -> float | None:
    """Rank wrong solutions whose largest drop of Q is at the wrong step by that drop."""
    if row["verdict"] != "wrong" or row["drop_step"] != row["wrong_step"] or row["drop"] is None:
        return None
    drop = -float(str(row["drop"]))
    return drop if drop >= _LEAST_DROP else None


def _hard_success(row: Mapping[str, object]) -> float | None:
    """Rank right solutions by how little the bare problem promised and how much the end does."""
    gain = float(str(row["last_score"])) - float(str(row["first_score"]))
    return gain if row["verdict"] == "correct" else None


def _missed_error(row: Mapping[str, object]) -> float | None:
    """Rank wrong solutions by the score of their end."""
    return float(str(row["last_score"])) if row["verdict"] == "wrong" else None


_KINDS: list[tuple[str, Callable[[Mapping[str, object]], float | None]]] = [
    ("A wrong step that the verifier sees", _seen_error),
    ("A right solution of a problem that promised little", _hard_success),
    ("A wrong solution that the verifier likes best", _missed_error),
]


def _best(
    rows: Sequence[dict[str, object]],
    rank: Callable[[Mapping[str, object]], float | None],
    *,
    seen: set[str],
) -> dict[str, object] | None:
    """Return the highest ranked row on a problem not seen yet, the first on a tie."""
    ranked = [(rank(row), row) for row in rows if row["problem_id"] not in seen]
    known = [(number, row) for number, row in ranked if number is not None]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def _example(
    heading: str,
    problem: Mapping[str, object],
    solution: Mapping[str, object],
    scores: pl.DataFrame,
    *,
    known: tuple[bool | None, ...],
    main_k: int,
) -> Example:
    """Return the example of one solution from its scores by every verifier."""
    steps = _steps(solution)
    rows = {
        name[0]: {row["num_steps"]: row for row in table.to_dicts()}
        for name, table in scores.group_by("verifier")
    }
    is_correct = solution["verdict"] == "correct"
    tracks = [_track("base", rows["q"], len(steps), is_correct=is_correct, k=1)]
    tracks.append(
        _track(prover_label(f"bo{main_k}"), rows["q"], len(steps), is_correct=is_correct, k=main_k)
    )
    if (head := f"q_bo{main_k}") in rows:
        scored = _track("", rows[head], len(steps), is_correct=is_correct, k=1).scored
        tracks[-1] = replace(tracks[-1], scored=scored)
    for verifier in sorted(set(rows) & {"q_weak", "q_strong"}, reverse=True):
        name = verifier.removeprefix("q_")
        tracks.append(_track(name, rows[verifier], len(steps), is_correct=is_correct, k=1))
    for verifier in sorted(name for name in rows if name.startswith("orm")):
        last = rows[verifier].get(len(steps), {}).get("score")
        tracks.append(Track(verifier, (), (*(None,) * len(steps), last)))
    return Example(
        heading=heading,
        question=str(problem["question"]),
        answer=str(problem["answer"]),
        split=str(problem["split"]),
        verdict=str(solution["verdict"]),
        reason=str(solution["reason"]),
        wrong_step=solution["wrong_step"],  # type: ignore[arg-type]
        steps=steps,
        counts=tuple(_count(rows["q"].get(step)) for step in range(len(steps) + 1)),
        is_solvable=known,
        tracks=tuple(tracks),
    )


def _steps(solution: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(step) for step in solution["steps"])  # type: ignore[attr-defined]


def _track(
    name: str, rows: Mapping[int, Mapping[str, object]], num_steps: int, *, is_correct: bool, k: int
) -> Track:
    """Return values under a policy, or under its best of `k`; the end's value is its verdict."""
    labelled, scored = [], []
    for step in range(num_steps + 1):
        row = rows.get(step)
        labelled.append(_labelled(row, k=k, verdict=is_correct if step == num_steps else None))
        scored.append(None if row is None else float(best_of_formula(float(str(row["score"])), k)))
    return Track(name, tuple(labelled), tuple(scored))


def _labelled(row: Mapping[str, object] | None, *, k: int, verdict: bool | None) -> float | None:
    """Return the unbiased estimate of a label's (best-of-k) value; None without one."""
    if verdict is not None:
        return float(verdict)
    if row is None or not row["num_rollouts"] or int(str(row["num_rollouts"])) < k:
        return None
    counts = int(str(row["num_correct"])), int(str(row["num_rollouts"]))
    return float(value(*counts)) if k == 1 else float(best_of_array(*counts, k))


def _count(row: Mapping[str, object] | None) -> str:
    """Return a label as `5 of 16`, `end` for a finished solution, or nothing."""
    if row is None:
        return ""
    if row["is_terminal"]:
        return "end"
    return f"{row['num_correct']} of {row['num_rollouts']}" if row["num_rollouts"] else ""


def _truth(
    row: Mapping[str, object], steps: tuple[str, ...], solver: Solver | None
) -> tuple[bool | None, ...]:
    """Return by the exact solver whether a right answer can follow each number of steps."""
    if solver is None:
        return (None,) * (len(steps) + 1)
    names = ("problem_id", "domain", "question", "answer", "split")
    problem = Problem(**{name: str(row[name]) for name in names})
    prefixes = (
        Prefix(problem.problem_id, steps[:count], is_finished=count == len(steps))
        for count in range(len(steps) + 1)
    )
    return tuple(not solver(problem, prefix) for prefix in prefixes)
