"""Flow `pilot`."""

from prefect import flow

from pav.flows.plan import Plan
from pav.flows.run_context import run_context
from pav.models.settings import RunSettings
from pav.tasks.label.estimates import missing_pilots
from pav.tasks.label.pilot_plan import STAGE
from pav.tasks.runner.batches import run_units
from pav.tasks.store.stages import unit_stage
from pav.tasks.store.store import Store


@flow(name="pilot")
def pilot(settings: RunSettings, store: str) -> int:
    """Label a few problems with each policy to see what labels cost; return how many pilots ran."""
    plan = Plan(settings, Store(store))
    plan.check("label")
    todo = missing_pilots(settings, plan.store, plan.piloted_units)
    with run_context(settings) as context:
        done = run_units(
            todo,
            work=unit_stage(STAGE).work,
            settings=settings,
            store=plan.store,
            pool=context.workers,
        )
    return len(done)
