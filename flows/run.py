"""Plan first: a run with nothing to do ends here, without Prefect, torch or a server."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pav.flows.plan import PARTS, Plan, check_settings
from pav.models.domains import check_stepwise, domain_of
from pav.models.settings import RunSettings
from pav.tasks.orchestrator import orchestrated
from pav.tasks.planning import StageReport
from pav.tasks.run_records import (
    check_faults,
    is_published,
    is_reported,
    publish_run,
    report_path,
)
from pav.tasks.store import Store

STAGES = (*PARTS, "report")


@dataclass(frozen=True)
class Summary:
    """What a run reused and made, by named data set, and where its report lies."""

    run_id: str
    stages: Sequence[StageReport]
    report: str = ""

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
            return "\n".join([*lines, f"nothing to do: {reused} units reused{where}"])
        return "\n".join([*lines, f"done: {self.num_made} units made{where}"])


def run_until(last: str, settings: RunSettings, store: Store) -> Summary:
    """Do what is missing up to a stage (`run` is `report`) and return what was done."""
    check_settings(settings)
    stages = STAGES[: STAGES.index("report" if last == "run" else last) + 1]
    if "evaluate" in stages:
        check_stepwise(domain_of(settings.problems))
    plan = Plan(settings, store)
    reports = _reused(plan, stages)
    if reports is None:
        reports = _execute(stages, settings, store)
        # Settles what the stage flows made: a stage run alone publishes its data too.
        _reused(plan, stages)
    report = store.address(report_path(plan.run_id)) if stages == STAGES else ""
    return Summary(plan.run_id, reports, report)


def _part_names(stages: Sequence[str]) -> list[str]:
    return [name for stage in stages for name in PARTS.get(stage, ())]


def _reused(plan: Plan, stages: Sequence[str]) -> list[StageReport] | None:
    """Return what a run with nothing to do reuses; None where there is anything to do."""
    names = _part_names(stages)
    for name in names:
        if plan.part(name).todo:
            return None
    run = plan.finished_run(names)
    if "report" in stages and not is_reported(plan.store, run):
        return None
    if not is_published(plan.store, run):
        check_faults(plan.store, publish_run(plan.store, run))
    return [plan.report(name, seconds={}) for name in names]


def _execute(stages: Sequence[str], settings: RunSettings, store: Store) -> list[StageReport]:
    with orchestrated():
        # Prefect takes seconds to import, and a run with nothing to do never needs it.
        from pav.flows.pipeline import run_stages

        return run_stages(stages, settings, store.root)
