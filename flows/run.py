"""Plan first: a run with nothing to do ends here, without Prefect, torch or a server."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from pav.flows.checks import check_settings
from pav.flows.forecast import foresee
from pav.flows.outlook import Outlook, expecting
from pav.flows.plan import Plan
from pav.flows.stages import STAGES
from pav.models.domains import check_stepwise, domain_of
from pav.models.settings import RunSettings
from pav.tasks.database.publishing import DATABASE
from pav.tasks.database.runs import (
    check_faults,
    is_published,
    is_reported,
    publish_run,
    report_path,
)
from pav.tasks.runner.prefect_server import orchestrated
from pav.tasks.runner.progress import announced, tell
from pav.tasks.store.stage_report import StageReport
from pav.tasks.store.store import Store

# What a user can name, in order; the report has no units of its own.
STAGE_NAMES = (*(stage.name for stage in STAGES), "report")


@dataclass(frozen=True)
class Summary:
    """What a run reused and made, by named data set, and where its report lies.

    `database` is where labels.duckdb was built again, which took no unit; empty where it was whole.
    """

    run_id: str
    stages: Sequence[StageReport]
    report: str = ""
    database: str = ""

    @property
    def num_made(self) -> int:
        """Units executed by this run."""
        return sum(stage.made for stage in self.stages)

    def as_record(self) -> dict[str, Any]:
        """Return the summary for programs."""
        stages = [asdict(stage) for stage in self.stages]
        return {"run_id": self.run_id, "report": self.report, "stages": stages}

    def as_text(self) -> str:
        """Return the summary for people."""
        where = f"; report at {self.report}" if self.report else ""
        lines = [stage.line for stage in self.stages]
        if not self.num_made:
            reused = sum(stage.reused for stage in self.stages)
            done = f"{self.database} built again" if self.database else "nothing to do"
            return "\n".join([*lines, f"{done}: {reused} units reused{where}"])
        return "\n".join([*lines, f"done: {self.num_made} units made{where}"])


def run_until(last: str, settings: RunSettings, store: Store) -> Summary:
    """Do what is missing up to a stage (`run` is `report`) and return what was done."""
    check_settings(settings)
    stages = STAGE_NAMES[: STAGE_NAMES.index("report" if last == "run" else last) + 1]
    if "evaluate" in stages:
        check_stepwise(domain_of(settings))
    plan = Plan(settings, store)
    names = [part.name for stage in STAGES if stage.name in stages for part in stage.parts]
    database = ""
    with announced("looking for what is done", is_told=False):
        outlook = foresee(plan, names) if _has_work(plan, stages, names) else None
    if outlook is None:
        database = _publish(plan, names)
        reports = [plan.report(name, seconds={}) for name in names]
    else:
        tell(outlook.line(store) if outlook.num_missing else f"{store.root}: the report is missing")
        reports = _execute(stages, settings, store, outlook)
        # Settles what the stage flows made: a stage run alone publishes its data too.
        if not _has_work(plan, stages, names):
            _publish(plan, names)
    report = store.address(report_path(plan.run_id)) if stages == STAGE_NAMES else ""
    return Summary(plan.run_id, reports, report, database)


def _has_work(plan: Plan, stages: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether a unit or the report is missing; the plan then has every part up to there."""
    if any(plan.part(name).todo for name in names):
        return True
    return "report" in stages and not is_reported(plan.store, plan.finished_run(names))


def _publish(plan: Plan, names: Sequence[str]) -> str:
    """Return where the database was built, as it was of another run, or damaged; else nothing."""
    run = plan.finished_run(names)
    if is_published(plan.store, run):
        return ""
    with announced("building labels.duckdb"):
        faults = publish_run(plan.store, run)
    check_faults(plan.store, faults)
    return plan.store.address(DATABASE)


def _execute(
    stages: Sequence[str], settings: RunSettings, store: Store, outlook: Outlook
) -> list[StageReport]:
    with prefect_ready(), expecting(outlook):
        # Prefect takes seconds to import, and a run with nothing to do never needs it.
        from pav.flows.pipeline import run_stages

        return run_stages(stages, settings, store.root)


@contextmanager
def prefect_ready() -> Iterator[None]:
    """Give a Prefect that runs flows, telling that it is being started."""
    # Until the first stage tells of its units: starting a flow takes seconds as well.
    with announced("starting Prefect"), orchestrated():
        importlib.import_module("prefect.flows")
        yield
