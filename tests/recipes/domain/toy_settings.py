"""Settings of the toy domain, `plugins.toy` in a config."""

from typing import Literal

from pydantic import Field

from pav.models.settings.base import Settings


class ToySettings(Settings):
    """Sums of two or three numbers."""

    highest: int = Field(9, ge=2, le=50)
    """Largest number in a sum."""
    mark: Literal["->", "gives"] = "->"
    """What stands behind the numbers in a prompt."""
