"""The block `plugins.spread`."""

from typing import Annotated

from pydantic import Field

from pav.models.settings.base import Settings


class SpreadSettings(Settings):
    """Widths of labels."""

    is_wanted: bool = True
    """Measure the widths; else the stage has no units."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Confidence of the intervals whose width is measured."""
