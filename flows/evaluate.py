"""Flow `evaluate`."""

from prefect import flow

from pav.flows.stage import carry_out
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport


@flow(name="evaluate")
def evaluate(settings: RunSettings, store: str) -> list[StageReport]:
    """Choose alpha and the final pick on validation problems, then search the test problems."""
    return carry_out("evaluate", settings, store)
