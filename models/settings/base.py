"""What every block of settings is."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of every block: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
