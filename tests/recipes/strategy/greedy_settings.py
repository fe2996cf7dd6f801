"""The knobs of the strategy `greedy`."""

from pydantic import Field

from pav.models.settings.base import Settings


class GreedySettings(Settings):
    """Greedy search."""

    num_each: int = Field(3, ge=1, le=1000)
    """Next steps that are sampled before the best one is taken."""
