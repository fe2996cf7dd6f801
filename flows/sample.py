"""Flow `sample`."""

from prefect import flow

from pav.flows.stage import carry_out
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport


@flow(name="sample")
def sample(settings: RunSettings, store: str) -> list[StageReport]:
    """Sample solutions of every problem, to be labelled."""
    return carry_out("sample", settings, store)
