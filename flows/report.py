"""Flow `report`."""

import time
from dataclasses import dataclass

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pav.flows.plan import Plan
from pav.flows.run_context import run_context
from pav.models.settings import RunSettings
from pav.tasks.database.runs import (
    check_faults,
    is_published,
    is_reported,
    mark_reported,
    publish_run,
    report_path,
)
from pav.tasks.report.artifacts import publish_artifacts
from pav.tasks.report.page import write_report
from pav.tasks.report.sources import gather_inputs
from pav.tasks.runner.progress import announced
from pav.tasks.store.stage_report import StageReport
from pav.tasks.store.store import Store

DATA_SETS = ("labels.duckdb", "report.html", "results.json")


@dataclass(frozen=True)
class WorkDone:
    """What the run did before its report, and how long it took."""

    stages: tuple[StageReport, ...]
    seconds: float


@task(name="publish", task_run_name="publish labels.duckdb", cache_policy=NO_CACHE)
def publish(settings: RunSettings, store: str) -> list[str]:
    """Record the run, rebuild the database where it is of another one, and return its faults."""
    plan = Plan(settings, Store(store))
    run = plan.finished_run()
    return [] if is_published(plan.store, run) else publish_run(plan.store, run)


@task(name="write", task_run_name="write report and results", cache_policy=NO_CACHE)
def write(settings: RunSettings, store: str, before: WorkDone) -> str:
    """Write the report, its tables as artifacts too, and return where it lies in the store.

    A report of the same data is left as it is.
    """
    plan = Plan(settings, Store(store))
    run = plan.finished_run()
    if is_reported(plan.store, run):
        return report_path(run.run_id)
    inputs = gather_inputs(plan.store, run, stages=before.stages, wall_seconds=before.seconds)
    written = write_report(plan.store, run.run_id, inputs)
    publish_artifacts(written.tables, written.claims)
    mark_reported(plan.store, run)
    return written.report


@flow(name="report")
def report(settings: RunSettings, store: str) -> list[StageReport]:
    """Publish labels.duckdb and write the report of the run; WorkError where there are faults."""
    started = time.monotonic()
    with run_context(settings) as context:
        with announced("building labels.duckdb"):
            faults = publish(settings, store)
        with announced("writing the report"):
            write(settings, store, WorkDone(tuple(context.journal), context.seconds))
    # The report is worth having whatever else the store holds.
    check_faults(Store(store), faults)
    return [StageReport("report", 1, 0, 1, time.monotonic() - started, DATA_SETS)]
