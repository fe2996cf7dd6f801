"""The settings block `plugins.hard`."""

from pydantic import Field

from pav.models.settings.base import Settings


class HardSettings(Settings):
    """Verifier by hard estimation."""

    fewest_right: int = Field(1, ge=1, le=1024)
    """Right rollouts from a prefix that make its target 1."""
