"""Flow `pool`."""

from collections.abc import Sequence

from prefect import flow

from pav.flows.run_context import run_context
from pav.models.settings import RunSettings
from pav.tasks.bench.pool_plan import STAGE
from pav.tasks.runner.batches import run_units
from pav.tasks.store.stages import unit_stage
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit


@flow(name="pool", validate_parameters=False)
def pool(settings: RunSettings, store: str, units: Sequence[Unit]) -> int:
    """Draw the rollouts that planners are measured on; return how many units ran."""
    with run_context(settings) as context:
        done = run_units(
            units,
            work=unit_stage(STAGE).work,
            settings=settings,
            store=Store(store),
            pool=context.workers,
        )
    return len(done)
