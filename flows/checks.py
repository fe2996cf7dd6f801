"""What of the settings can be known to be wrong before any work."""

from collections.abc import Iterable

from pav.flows.stages import Stage
from pav.models.domains import check_stepwise, domain_of
from pav.models.plugins import named_object
from pav.models.settings import RunSettings
from pav.tasks.label.plan import check_labelling
from pav.tasks.prepare.plan import check_trainable
from pav.tasks.prepare.policies import check_policies, check_provers
from pav.tasks.problems.plan import plan_problems


def check_settings(settings: RunSettings) -> None:
    """Raise InputError for what can be known to be wrong before any work."""
    check_policies(settings.prepare)
    check_provers(settings)
    check_trainable(settings)
    check_labelling(settings)
    plan_problems(settings)


def check_stages(stages: Iterable[Stage], settings: RunSettings) -> None:
    """Raise InputError where a stage can do nothing with the settings."""
    for stage in stages:
        if stage.check:
            named_object(stage.check)(settings)


def check_search(settings: RunSettings) -> None:
    """Raise InputError where responses of the domain have no steps to search by."""
    check_stepwise(domain_of(settings))
