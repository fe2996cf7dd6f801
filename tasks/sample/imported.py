"""The solutions of `sample.path` for a sampling unit: cut and graded by the domain, not sampled."""

from pav.models.errors import InputError
from pav.models.planners.graded import graded_responses
from pav.models.planners.rollouts import Graded, full_response
from pav.models.records import Prefix, Sample
from pav.models.settings import RunSettings
from pav.tasks.engine.driver import Driver
from pav.tasks.sample.imported_plan import ImportedRow, content_of, imported_rows
from pav.tasks.sample.plan import SampleWork
from pav.tasks.store.units import Unit


def is_imported(unit: Unit) -> bool:
    """Tell whether a sampling unit takes solutions of a file."""
    return "rows" in unit.parameters


def take(
    driver: Driver, unit: Unit, settings: RunSettings
) -> list[tuple[Prefix, str, int, Graded]]:
    """Return the unit's solutions, each with its policy and number among its problem's."""
    work = SampleWork.of(unit)
    by_problem = imported_rows(settings.sample, work.domain, driver.problems.values())
    if content_of(row for rows in by_problem.values() for row in rows) != work.rows:
        raise InputError(
            f"{settings.sample.path}: the file changed since the run was planned; run again"
        )
    graded = driver.run(
        [
            graded_responses(Prefix(problem_id), [_sample(driver, row) for row in rows])
            for problem_id, rows in by_problem.items()
        ]
    )
    return [
        (full_response(Prefix(problem_id), pair[0]), row.policy_id, number, pair)
        for (problem_id, rows), pairs in zip(by_problem.items(), graded, strict=True)
        for number, (row, pair) in enumerate(zip(rows, pairs, strict=True))
    ]


def _sample(driver: Driver, row: ImportedRow) -> Sample:
    """Return a response as the base would have sampled it; its tokens are the base's."""
    steps = driver.domain.split_steps(row.text)
    response = Prefix(row.problem_id, steps)
    num_tokens = len(driver.codec.encode(response)) - driver.codec.num_prompt_tokens(response)
    return Sample(steps, "stop" if row.is_whole else "length", num_tokens)
