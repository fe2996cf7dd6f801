"""Published problems: read back, and refused where a split or a source is not what it must be."""

from collections.abc import Iterable

import polars as pl

from pav.models.errors import InputError, StoreError
from pav.models.records import LABELLING_SOURCES, Problem
from pav.tasks.store.manifests import read_manifest, read_table
from pav.tasks.store.store import Store


def read_problems(store: Store, unit_id: str) -> dict[str, Problem]:
    """Return the published problems of a unit by id; StoreError where it was never published."""
    manifest = read_manifest(store, unit_id)
    if manifest is None:
        raise StoreError(f"{store}: expected the published unit {unit_id}; run `pav prepare` again")
    return load_problems(read_table(store, manifest, "problems"))


def load_problems(table: pl.DataFrame) -> dict[str, Problem]:
    """Return the rows of the data set `problems` by id, in their order; none is in two splits.

    InputError where an answer's source may not label: a store can be older than the rule.
    """
    problems = [Problem(**row) for row in table.drop("unit_id").iter_rows(named=True)]
    check_disjoint(problems)
    check_sources(problems)
    return {problem.problem_id: problem for problem in problems}


def check_sources(problems: Iterable[Problem]) -> None:
    """Raise InputError where an answer comes from a source that may not label."""
    wrong = [each for each in problems if each.answer_source not in LABELLING_SOURCES]
    if wrong:
        raise InputError(
            f"problems: only answers by {LABELLING_SOURCES} may label, got "
            f"{wrong[0].answer_source!r} for {wrong[0].problem_id!r}"
            + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else "")
            + "; leave these rows out of problems.path"
        )


def check_disjoint(problems: Iterable[Problem]) -> None:
    """Raise InputError if two splits share a canonical key, or two problems an id."""
    by_key: dict[str, Problem] = {}
    by_id: dict[str, Problem] = {}
    for problem in problems:
        other = by_key.setdefault(problem.canonical_key, problem)
        if other.split != problem.split:
            raise InputError(
                f"problems: {other.problem_id!r} ({other.split}) and {problem.problem_id!r} "
                f"({problem.split}) are the same problem, {problem.canonical_key}; "
                "splits must not overlap"
            )
        if by_id.setdefault(problem.problem_id, problem) != problem:
            raise InputError(
                f"problems: two problems have the problem_id {problem.problem_id!r}: "
                f"{by_id[problem.problem_id].canonical_key} and {problem.canonical_key}"
            )
