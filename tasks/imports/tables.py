"""The ordinary data sets of a file of solutions, graded where that is possible."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate

import polars as pl

from pav.models.domains import Domain, domain
from pav.models.formats.records import ImportedSolution
from pav.models.prefixes import imported_solution_id, prefix_ids
from pav.models.records import Grading, Prefix, Problem, Verdict
from pav.models.settings import GradeSettings
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import GradingPool
from pav.tasks.imports.plan import ImportPlan
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.units import Output

STATED = "as the row states"
# Rows of Python take ten times the memory of a table's.
_MOST_ROWS = 20_000
DATA_SETS = ("problems", "solutions", "prefixes", "solution_prefixes", "imported_labels")


@dataclass(frozen=True)
class Judged:
    """A solution of a problem, how it ends, and its verdict; None where it cannot be graded."""

    solution: ImportedSolution
    finish: str
    response: Prefix
    grading: Grading | None


def import_outputs(plan: ImportPlan, settings: GradeSettings) -> tuple[Output, ...]:
    """Return the data sets of an import's unit."""
    family = domain(plan.work.domain)
    problems = plan.file.problems
    pairs = [(problems[key], solution) for _, key, solution in plan.file.solutions]
    tables = _Tables(plan, family)
    for judged in judge(pairs, family, settings):
        tables.add(judged)
    for problem in problems.values():
        tables.put("problems", asdict(problem))
    return tuple(tables.outputs())


def judge(
    pairs: Sequence[tuple[Problem, ImportedSolution]], family: Domain, settings: GradeSettings
) -> Iterator[Judged]:
    """Yield each solution with its verdict: the domain's where there is an answer to check.

    A response that may or may not be whole is whole where its answer can be found.
    """
    responses = [
        (problem, Prefix(problem.problem_id, each.steps, is_finished=each.finish != "length"))
        for problem, each in pairs
        if problem.answer and each.finish != "open"
    ]
    grader = Grader(family, GradingPool(settings))
    try:
        gradings = iter(grader.grade(responses))
    finally:
        grader.close()
    for problem, solution in pairs:
        is_checked = bool(problem.answer) and solution.finish != "open"
        grading = next(gradings) if is_checked else _stated(solution)
        finish: str = solution.finish
        if finish == "unknown":
            is_whole = grading is not None and grading.verdict != Verdict.UNPARSED
            finish, grading = ("stop", grading) if is_whole else ("open", None)
        response = Prefix(problem.problem_id, solution.steps, is_finished=finish == "stop")
        yield Judged(solution, finish, response, grading)


def _stated(solution: ImportedSolution) -> Grading | None:
    if solution.is_correct is None:
        return None
    return Grading(Verdict.CORRECT if solution.is_correct else Verdict.WRONG, STATED)


class _Tables:
    """Collects every data set, each prefix once; as a table as soon as there are many rows."""

    def __init__(self, plan: ImportPlan, family: Domain) -> None:
        self._rows: dict[str, list[dict[str, object]]] = {name: [] for name in DATA_SETS}
        self._tables: dict[str, list[pl.DataFrame]] = {name: [] for name in DATA_SETS}
        self._num_solutions = 0
        self._work, self._unit_id = plan.work, plan.unit.unit_id
        self._family = family
        self._num_equal: Counter[str] = Counter()
        self._prefixes: set[str] = set()

    def add(self, judged: Judged) -> None:
        """Take in a solution with its prefixes and labels."""
        solution, response = judged.solution, judged.response
        policy_id = solution.policy or self._work.policy
        equal = imported_solution_id(response, policy_id, repeat=0)
        repeat = self._num_equal[equal]
        self._num_equal[equal] += 1
        name = imported_solution_id(response, policy_id, repeat=repeat) if repeat else equal
        self._add_solution(name, policy_id, judged)
        self._num_solutions += 1
        names = prefix_ids(response)
        self._add_prefixes(name, names, judged)
        for label in solution.labels:
            self.put("imported_labels", {
                "solution_id": name, "num_steps": label.num_steps,
                "prefix_id": names[label.num_steps], "format": self._work.format,
                "kind": label.kind, "value": label.value, "labeler": solution.labeler,
            })  # fmt: skip

    def put(self, name: str, row: Mapping[str, object]) -> None:
        """Add a row to a data set; columns that it lacks are NULL."""
        self._rows[name].append({**row, "unit_id": self._unit_id})
        if len(self._rows[name]) >= _MOST_ROWS:
            self._pack(name)

    def outputs(self) -> Iterator[Output]:
        """Yield the Parquet file of every data set."""
        for name, tables in self._tables.items():
            self._pack(name)
            table = pl.concat(tables)
            yield Output(f"{name}.parquet", to_parquet(name, table), table.height)

    def _pack(self, name: str) -> None:
        self._tables[name].append(frame(name, self._rows[name]))
        self._rows[name] = []

    def _add_solution(self, name: str, policy_id: str, judged: Judged) -> None:
        response, grading = judged.response, judged.grading
        row: dict[str, object] = {
            "solution_id": name, "problem_id": response.problem_id, "policy_id": policy_id,
            "sample": self._num_solutions, "steps": list(response.steps),
            "text": response.text, "num_steps": len(response.steps),
            "finish_reason": judged.finish,
        }  # fmt: skip
        if grading is not None:
            row |= {"verdict": str(grading.verdict), "reason": grading.reason,
                    "wrong_step": grading.wrong_step}  # fmt: skip
        self.put("solutions", row)

    def _add_prefixes(self, solution_id: str, names: Sequence[str], judged: Judged) -> None:
        """Add the prefixes of a solution; a prefix that solutions share is added once."""
        steps = judged.response.steps
        ends = accumulate(map(len, steps), initial=0)
        for number, (name, end) in enumerate(zip(names, ends, strict=True)):
            place = {"solution_id": solution_id, "num_steps": number, "prefix_id": name}
            self.put("solution_prefixes", place)
            if name in self._prefixes:
                continue
            self._prefixes.add(name)
            is_terminal = number == len(steps) and self._is_ended(judged)
            verdict = str(judged.grading.verdict) if judged.grading and is_terminal else None
            self.put("prefixes", {
                **place, "problem_id": judged.response.problem_id, "num_characters": end,
                "is_terminal": is_terminal, "verdict": verdict,
            })  # fmt: skip

    def _is_ended(self, judged: Judged) -> bool:
        """Whether a response is whole, or was cut off within a step."""
        steps = judged.response.steps
        is_cut_off = judged.finish == "length" and bool(steps)
        is_mid_step = is_cut_off and not self._family.ends_step(steps[-1])
        return judged.response.is_finished or is_mid_step
