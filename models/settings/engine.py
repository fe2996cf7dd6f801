"""What decodes, scores and grades."""

from typing import Literal

from pydantic import Field

from pav.models.settings.base import Settings


class GradeSettings(Settings):
    """The symbolic grader, for answers that their text alone cannot compare."""

    limit_seconds: float = Field(5.0, gt=0, le=3600)
    """Longest time of one comparison, in seconds; after it the process is killed and the verdict is
    `failed`."""
    processes: int = Field(1, ge=1, le=256)
    """Processes that compare answers, for each worker; they start when first needed."""
    memory_mib: int = Field(2048, ge=256, le=1 << 24)
    """Most memory of one such process, in MiB."""


class EngineSettings(Settings):
    """What decodes and scores."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number type of the weights while decoding and scoring; `auto` is bfloat16 if the device has
    it natively."""
    batch_size: int = Field(512, ge=1, le=65_536)
    """Rows decoded together. The number is no part of a unit's name, although sums of other batches
    may round differently in the last digit. A unit's manifest records the number."""
    score_tokens: int = Field(16_384, ge=64, le=1 << 24)
    """Tokens in one forward pass of a verifier, padding included."""
