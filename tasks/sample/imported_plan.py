"""Solutions of `sample.path`: their problems, and the sampling units that take them as they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pav.models.domains import domain_key
from pav.models.formats.records import ImportedSolution
from pav.models.hashing import digest
from pav.models.records import Problem
from pav.models.settings import RunSettings, SampleSettings
from pav.models.splits import SPLITS
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.problems.solution_files import imported_file
from pav.tasks.sample.plan import REVISION, STAGE, buckets, problems_ref, sample_work, sharded
from pav.tasks.store.units import Manifest, Unit


@dataclass(frozen=True, order=True)
class ImportedRow:
    """A distinct response to a problem: its policy, its text, and whether it is whole."""

    problem_id: str
    policy_id: str
    text: str
    is_whole: bool


def plan_imported(
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
    key = domain_key(settings)
    rows = imported_rows(settings.sample, key, problems.values())
    base = policies["base"]
    units = []
    for split in SPLITS:
        num_shards = buckets(split, settings.sample.num_shards)
        for shard, members in sharded(problems.values(), split, num_shards).items():
            own = [row for each in members for row in rows.get(each.problem_id, ())]
            if own:
                work = sample_work(
                    settings, split, shard, pipeline_seed,
                    rows=content_of(own), policies={"base": base.policy_id},
                )  # fmt: skip
                units.append(
                    Unit(
                        STAGE,
                        f"sample {split} {shard} seed {pipeline_seed} from "
                        f"{Path(settings.sample.path).name}",
                        REVISION,
                        work.parameters(),
                        {"base": base.ref, "problems": problems_ref(problems_manifest, members)},
                    )
                )
    return units


def imported_rows(
    settings: SampleSettings, domain_key: str, problems: Iterable[Problem]
) -> dict[str, tuple[ImportedRow, ...]]:
    """Return the distinct solutions of each problem by its id, whatever their order in the file."""
    by_key = {problem.canonical_key: problem.problem_id for problem in problems}
    rows: dict[str, set[ImportedRow]] = {}
    for _, key, solution in imported_file(settings, domain_key).solutions:
        # Problems beyond problems.max_train and the like have no part in the run.
        if key in by_key:
            row = _row(by_key[key], solution, settings.format)
            rows.setdefault(row.problem_id, set()).add(row)
    return {problem_id: tuple(sorted(members)) for problem_id, members in rows.items()}


def content_of(rows: Iterable[ImportedRow]) -> str:
    """Return the hash of some rows, by which their unit is known."""
    return digest([[each.problem_id, each.policy_id, each.text, each.is_whole] for each in rows],
                  length=20)  # fmt: skip


def _row(problem_id: str, solution: ImportedSolution, form: str) -> ImportedRow:
    policy_id = solution.policy or f"imported:{form}"
    is_whole = solution.finish in ("stop", "unknown")
    return ImportedRow(problem_id, policy_id, solution.text, is_whole)
