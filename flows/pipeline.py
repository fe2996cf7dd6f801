"""Flow `pipeline`: from problems to a report of what verifiers are worth."""

from collections.abc import Callable, Mapping, Sequence

from prefect import flow

from pav.flows.evaluate import evaluate
from pav.flows.label import label
from pav.flows.plan import check_settings
from pav.flows.prepare import prepare
from pav.flows.report import report
from pav.flows.sample import sample
from pav.flows.stage import workplace
from pav.flows.train import train
from pav.models.domains import check_stepwise, domain_of
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport

Flow = Callable[[RunSettings, str], list[StageReport]]
STAGE_FLOWS: Mapping[str, Flow] = {
    "prepare": prepare,
    "sample": sample,
    "label": label,
    "train": train,
    "evaluate": evaluate,
    "report": report,
}


@flow(name="pipeline")
def pipeline(settings: RunSettings, store: str) -> list[StageReport]:
    """Go from problems to the report; every data set that is there already is reused."""
    check_settings(settings)
    check_stepwise(domain_of(settings.problems))
    with workplace(settings):
        return [
            *prepare(settings, store),
            *sample(settings, store),
            *label(settings, store),
            *train(settings, store),
            *evaluate(settings, store),
            *report(settings, store),
        ]


def run_stages(stages: Sequence[str], settings: RunSettings, store: str) -> list[StageReport]:
    """Run some stage flows in order, all of them as the one flow `pipeline`."""
    if len(stages) == len(STAGE_FLOWS):
        return pipeline(settings, store)
    with workplace(settings):
        return [made for stage in stages for made in STAGE_FLOWS[stage](settings, store)]
