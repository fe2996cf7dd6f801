"""How units become Prefect tasks."""

from pydantic import Field

from pav.models.settings.base import Settings


class RunnerSettings(Settings):
    """How units become Prefect tasks."""

    workers: int = Field(1, ge=1, le=256)
    """Worker processes; each does one batch of units at a time and holds one engine."""
    retries: int = Field(2, ge=0, le=50)
    """Retries of a batch of units after a failure that may pass."""
    retry_seconds: float = Field(2.0, ge=0, le=86_400)
    """Wait before the first retry; it doubles each time."""
    timeout_seconds: float = Field(7200, gt=0, le=31_536_000)
    """Longest time of a batch of units; after it the rest of the batch is tried again."""
    stall_seconds: float = Field(120, ge=10, le=86_400)
    """A worker that is silent for this time is replaced. A running process is not silent, even
    during a long computation; a process that never ends meets `timeout_seconds`."""
    device_hour_price: float = Field(0.0, ge=0)
    """Price of one device-hour, in any currency; 0 hides prices."""
