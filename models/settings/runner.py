"""How units become Prefect tasks."""

from pydantic import Field

from pav.models.settings.base import Settings


class RunnerSettings(Settings):
    """How units become Prefect tasks."""

    workers: int = Field(1, ge=1, le=256)
    """Leases that run at the same time; each holds one engine."""
    retries: int = Field(2, ge=0)
    """Retries of a lease after a failure that may pass."""
    retry_seconds: float = Field(2.0, ge=0)
    """Wait before the first retry; it doubles each time."""
    timeout_seconds: float = Field(7200, gt=0)
    """Longest time of a lease."""
    device_hour_price: float = Field(0.0, ge=0)
    """Price of one device-hour, in any currency; 0 hides prices."""
