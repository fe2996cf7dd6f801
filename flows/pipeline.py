"""Flow `pipeline`, from problems to a report of what verifiers are worth, and a flow a stage."""

from collections.abc import Callable, Mapping, Sequence

from prefect import flow

from pav.flows.checks import check_settings
from pav.flows.report import report
from pav.flows.run_context import carry_out, run_context
from pav.flows.stages import STAGES, Stage
from pav.models.domains import check_stepwise, domain_of
from pav.models.settings import RunSettings
from pav.tasks.store.stage_report import StageReport

Flow = Callable[[RunSettings, str], list[StageReport]]


def _flow_of(stage: Stage) -> Flow:
    """Return the flow of a stage; what is done of it is reused."""

    def run(settings: RunSettings, store: str) -> list[StageReport]:
        return carry_out(stage, settings, store)

    return flow(name=stage.name, description=stage.about)(run)


STAGE_FLOWS: Mapping[str, Flow] = {
    **{stage.name: _flow_of(stage) for stage in STAGES},
    "report": report,
}


@flow(name="pipeline")
def pipeline(settings: RunSettings, store: str) -> list[StageReport]:
    """Go from problems to the report; every data set that is there already is reused."""
    check_settings(settings)
    check_stepwise(domain_of(settings))
    with run_context(settings):
        return [made for run in STAGE_FLOWS.values() for made in run(settings, store)]


def run_stages(stages: Sequence[str], settings: RunSettings, store: str) -> list[StageReport]:
    """Run some stage flows in order, all of them as the one flow `pipeline`."""
    if len(stages) == len(STAGE_FLOWS):
        return pipeline(settings, store)
    with run_context(settings):
        return [made for stage in stages for made in STAGE_FLOWS[stage](settings, store)]
