"""Intervals and figures."""

from pydantic import Field

from pav.models.settings.base import Settings


class ReportSettings(Settings):
    """Intervals and figures."""

    num_resamples: int = Field(10_000, ge=100, le=1_000_000)
    """Bootstrap resamples over problems."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Nominal coverage of every interval."""
    num_examples: int = Field(3, ge=0, le=1000)
    """Worked examples shown."""
