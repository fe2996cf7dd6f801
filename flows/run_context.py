"""How a stage flow carries out its parts: what is done is reused, the rest goes to task batches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from pav.flows.outlook import seconds_after
from pav.flows.plan import Part, Plan
from pav.flows.stages import Stage, all_parts
from pav.models.settings import RunSettings
from pav.tasks.runner.batches import run_units
from pav.tasks.runner.pool import WorkerPool, pool
from pav.tasks.runner.progress import StageProgress
from pav.tasks.store.stage_report import StageReport
from pav.tasks.store.stages import unit_stage
from pav.tasks.store.store import Store


@dataclass
class RunContext:
    """What the stage flows of one run share: worker processes, and a journal of what was done."""

    workers: WorkerPool
    journal: list[StageReport] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started


_current: ContextVar[RunContext | None] = ContextVar("run context", default=None)


@contextmanager
def run_context(settings: RunSettings) -> Iterator[RunContext]:
    """Give the context of the run around; a stage flow that runs alone gets its own."""
    if (shared := _current.get()) is not None:
        yield shared
        return
    with pool(settings) as workers:
        context = RunContext(workers)
        token = _current.set(context)
        try:
            yield context
        finally:
            _current.reset(token)


def carry_out(stage: Stage, settings: RunSettings, store: str) -> list[StageReport]:
    """Do what is missing of a stage and return, for each part, what was reused and made."""
    plan = Plan(settings, Store(store))
    with run_context(settings) as context:
        reports = [_carry_out_part(plan, plan.part(part.name), context) for part in stage.parts]
        context.journal.extend(reports)
    return reports


def _carry_out_part(plan: Plan, part: Part, context: RunContext) -> StageReport:
    if part.todo:
        plan.check(part.name)
    seconds: dict[str, float] = {}
    after = seconds_after(part.name)
    # A part that looks at what it made (a budget's rounds) shows its next units after these.
    while todo := part.todo:
        stage = todo[0].stage
        units = [unit for unit in todo if unit.stage == stage]
        done = run_units(
            units, work=unit_stage(stage).work,
            settings=plan.settings, store=plan.store, pool=context.workers,
            progress=StageProgress(_title(part, stage), len(units), seconds_after=after),
        )  # fmt: skip
        seconds |= {result.unit_id: result.seconds for result in done}
        part = plan.part(part.name)
    return plan.report(part.name, seconds=seconds)


def _title(part: Part, stage: str) -> str:
    """Return what a part's units are told under: `choose` runs the stage of `evaluate`."""
    return part.name if stage in all_parts() else stage
