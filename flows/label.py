"""Flow `label`."""

from prefect import flow

from pav.flows.stage import carry_out
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport


@flow(name="label")
def label(settings: RunSettings, store: str) -> list[StageReport]:
    """Roll out prefixes by the base and by each prover, as the planner of the settings has it."""
    return carry_out("label", settings, store)
