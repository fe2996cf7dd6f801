"""What the labels of a run will cost, before any of them is made."""

from itertools import takewhile

from pav.flows.checks import check_settings
from pav.flows.plan import Plan
from pav.flows.run import prefect_ready, run_until
from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.tasks.label.estimates import LabelEstimate, known_estimate, missing_pilots
from pav.tasks.store.store import Store


def estimate_labels(settings: RunSettings, store: Store) -> LabelEstimate:
    """Do what is missing up to `sample`, label a few problems, and return what all will cost."""
    check_settings(settings)
    plan = Plan(settings, store)
    if any(part.todo for part in takewhile(lambda part: part.name != "label", plan.walk())):
        run_until("sample", settings, store)
    units = plan.piloted_units
    if missing_pilots(settings, store, units):
        with prefect_ready():
            # Prefect takes seconds to import, and an estimate that is known never needs it.
            from pav.flows.pilot import pilot

            pilot(settings, store.root)
    estimate = known_estimate(settings, store, units)
    if estimate is None:
        raise InputError("label: no policy has anything to label with these settings")
    return estimate
