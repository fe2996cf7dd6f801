"""Flow `train`."""

from prefect import flow

from pav.flows.stage import carry_out
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport


@flow(name="train")
def train(settings: RunSettings, store: str) -> list[StageReport]:
    """Train the verifiers on the labels."""
    return carry_out("train", settings, store)
