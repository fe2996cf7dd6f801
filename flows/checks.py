"""What of the settings can be known to be wrong before any work."""

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
