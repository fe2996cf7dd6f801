"""Flow `prepare`."""

from prefect import flow

from pav.flows.stage import carry_out
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport


@flow(name="prepare")
def prepare(settings: RunSettings, store: str) -> list[StageReport]:
    """Make the problems, and train the three policies that are not given."""
    return carry_out("prepare", settings, store)
