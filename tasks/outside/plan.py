"""Solutions of `sample.path`: their problems, and the sampling units that take them as they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pav.models.domains import domain_key, domain_of
from pav.models.errors import InputError
from pav.models.formats.records import OutsideSolution
from pav.models.hashing import digest
from pav.models.records import OTHER_SOURCES, Problem
from pav.models.settings import RunSettings
from pav.models.splits import SPLITS
from pav.tasks.outside.files import OutsideFile, read_outside
from pav.tasks.policies import PolicySpec
from pav.tasks.row_files import refuse_bad_rows
from pav.tasks.sampling_plan import REVISION, STAGE, buckets, parameters, problems_ref, sharded
from pav.tasks.units import Manifest, Unit

_MOST_SHOWN = 20


@dataclass(frozen=True, order=True)
class OutsideRow:
    """A distinct response to a problem: its policy, its text, and whether it is whole."""

    problem_id: str
    policy_id: str
    text: str
    is_whole: bool


def outside_file(settings: RunSettings) -> OutsideFile:
    """Return the solutions of `sample.path`; InputError lists what is wrong with it."""
    return read_outside(
        settings.sample.path,
        form=settings.sample.format,
        domain_key=domain_key(settings.problems),
        asked_by="sample.path",
    )


def outside_problems(settings: RunSettings) -> tuple[Problem, ...]:
    """Return the problems of `sample.path`; InputError where an answer is missing or may not label.

    Rollouts are checked against answers, so that a problem without one can never be labelled.
    """
    path, file = settings.sample.path, outside_file(settings)
    if missing := file.unanswered_lines:
        lines = ", ".join(map(str, missing[:_MOST_SHOWN]))
        more = ", …" if len(missing) > _MOST_SHOWN else ""
        raise InputError(
            f"sample.path: {path}: {len(missing)} solutions of problems without an answer, which "
            f"rollouts cannot label (lines {lines}{more}); add `answer` to them, or give a file "
            "of question and answer as problems.path"
        )
    unchecked = {key for key, each in file.problems.items() if each.answer_source in OTHER_SOURCES}
    bad = [
        (line, f"answer_source: {file.problems[key].answer_source!r} may not label")
        for line, key, _ in file.solutions
        if key in unchecked
    ]
    refuse_bad_rows(path, bad)
    return tuple(file.problems.values())


def check_joined(settings: RunSettings, problems: Iterable[Problem]) -> None:
    """Raise InputError where a solution's question is not among problems, or its answer differs."""
    file, family = outside_file(settings), domain_of(settings.problems)
    known = {problem.canonical_key: problem for problem in problems}
    name = settings.problems.path
    bad = []
    for line, key, _ in file.solutions:
        own = file.problems[key]
        if key not in known:
            bad.append(
                (line, f"question: not in problems.path ({name}), got {own.question[:60]!r}")
            )
        elif own.answer and family.contradicts(known[key], own):
            bad.append(
                (line, f"answer: {known[key].answer[-40:]!r} in {name}, got {own.answer[-40:]!r}")
            )
    refuse_bad_rows(settings.sample.path, bad)


def plan_outside(
    settings: RunSettings,
    *,
    pipeline_seed: int,
    problems: Mapping[str, Problem],
    problems_manifest: Manifest,
    policies: Mapping[str, PolicySpec],
) -> list[Unit]:
    """Return the units that take the solutions of `sample.path`, one a shard that has any.

    A unit is named by its own rows, so that another row disturbs one shard.
    """
    rows = outside_rows(settings, problems.values())
    base = policies["base"]
    units = []
    for split in SPLITS:
        num_shards = buckets(split, settings.sample.num_shards)
        for shard, members in sharded(problems.values(), split, num_shards).items():
            own = [row for each in members for row in rows.get(each.problem_id, ())]
            if own:
                given = {
                    "num_shards": num_shards,
                    "rows": content_of(own),
                    "policies": {"base": base.policy_id},
                }
                units.append(
                    Unit(
                        STAGE,
                        f"sample {split} {shard} seed {pipeline_seed} from "
                        f"{Path(settings.sample.path).name}",
                        REVISION,
                        parameters(settings, split, shard, pipeline_seed) | given,
                        {"base": base.ref, "problems": problems_ref(problems_manifest, members)},
                    )
                )
    return units


def outside_rows(
    settings: RunSettings, problems: Iterable[Problem]
) -> dict[str, tuple[OutsideRow, ...]]:
    """Return the distinct solutions of each problem by its id, whatever their order in the file."""
    by_key = {problem.canonical_key: problem.problem_id for problem in problems}
    rows: dict[str, set[OutsideRow]] = {}
    for _, key, solution in outside_file(settings).solutions:
        # Problems beyond problems.max_train and the like have no part in the run.
        if key in by_key:
            row = _row(by_key[key], solution, settings.sample.format)
            rows.setdefault(row.problem_id, set()).add(row)
    return {problem_id: tuple(sorted(members)) for problem_id, members in rows.items()}


def content_of(rows: Iterable[OutsideRow]) -> str:
    """Return the hash of some rows, by which their unit is known."""
    return digest([[each.problem_id, each.policy_id, each.text, each.is_whole] for each in rows],
                  length=20)  # fmt: skip


def _row(problem_id: str, solution: OutsideSolution, form: str) -> OutsideRow:
    policy_id = solution.policy or f"outside:{form}"
    is_whole = solution.finish in ("stop", "unknown")
    return OutsideRow(problem_id, policy_id, solution.text, is_whole)
