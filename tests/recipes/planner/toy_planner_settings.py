"""Settings of the toy planner: `plugins.toy.every`."""

from pydantic import Field

from pav.models.settings.base import Settings


class ToyPlannerSettings(Settings):
    """The planner that labels every n-th prefix."""

    every: int = Field(2, ge=1, le=1000)
    """Each solution's prefixes that are labelled: the first of every so many."""
