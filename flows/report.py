"""Flow `report`."""

import time
from dataclasses import dataclass

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from pav.flows.plan import Plan
from pav.flows.stage import workplace
from pav.models.settings import RunSettings
from pav.tasks.planning import StageReport
from pav.tasks.report_sources import gather_inputs
from pav.tasks.report_tables import Table, arm_table, dataset_table, timing_table
from pav.tasks.reporting import write_report
from pav.tasks.run_records import is_published, mark_reported, publish_run
from pav.tasks.store import Store

DATA_SETS = ("labels.duckdb", "report.html", "results.json")


@dataclass(frozen=True)
class Journey:
    """What the run did before its report."""

    stages: tuple[StageReport, ...]
    seconds: float


@task(name="publish", task_run_name="publish labels.duckdb", cache_policy=NO_CACHE)
def publish(settings: RunSettings, store: str) -> str:
    """Record the run, rebuild the database and return its address."""
    plan = Plan(settings, Store(store))
    run = plan.finished_run()
    return "" if is_published(plan.store, run) else publish_run(plan.store, run)


@task(name="write report", task_run_name="write report and results", cache_policy=NO_CACHE)
def write(settings: RunSettings, store: str, journey: Journey) -> list[Table]:
    """Write report.html, its figures and results.json; return the tables that they show."""
    plan = Plan(settings, Store(store))
    run = plan.finished_run()
    inputs = gather_inputs(plan.store, run, stages=journey.stages, wall_seconds=journey.seconds)
    write_report(plan.store, run.run_id, inputs)
    mark_reported(plan.store, run)
    return [
        arm_table(inputs.arms, caption="Every arm on the test problems"),
        dataset_table(inputs.stages),
        timing_table(inputs.stages),
    ]


@flow(name="report")
def report(settings: RunSettings, store: str) -> list[StageReport]:
    """Publish labels.duckdb, then write the report; its tables are artifacts of this flow run."""
    started = time.monotonic()
    with workplace(settings) as place:
        publish(settings, store)
        for table in write(settings, store, Journey(tuple(place.journal), place.seconds)):
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            create_table_artifact(rows, key=table.name.replace("_", "-"), description=table.caption)
    return [StageReport("report", 1, 0, 1, time.monotonic() - started, DATA_SETS)]
