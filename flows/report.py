"""Flow `report`."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pav.flows.plan import Plan
from pav.models.settings import RunSettings
from pav.tasks.run_records import publish_run
from pav.tasks.store import Store


@task(name="publish", task_run_name="publish labels.duckdb", cache_policy=NO_CACHE)
def publish(settings: RunSettings, store: str) -> str:
    """Record the run, rebuild the database and return its address."""
    plan = Plan(settings, Store(store))
    return publish_run(plan.store, plan.finished_run())


@flow(name="report")
def report(settings: RunSettings, store: str) -> str:
    """Publish labels.duckdb, then write the report; return where it lies."""
    return publish(settings, store)
