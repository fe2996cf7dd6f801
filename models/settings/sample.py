"""Solutions to be labelled."""

from typing import Literal

from pydantic import Field

from pav.models.settings.base import Settings

FormatName = Literal[
    "plain", "math-shepherd", "prm800k", "omegaprm", "omegaprm-tree", "prmbench", "processbench"
]


class SampleSettings(Settings):
    """Solutions to be labelled."""

    path: str = ""
    """File of solutions to label as they are; if empty, solutions are sampled."""
    format: FormatName = "plain"
    """Format of that file; plain rows have `question`, `response` and, if known, `answer`."""
    num_train: int = Field(4, ge=1, le=100_000)
    """n_cov: solutions of the base for each training problem."""
    num_validation: int = Field(2, ge=1, le=100_000)
    """Solutions of the base for each validation problem (early stopping, calibration)."""
    num_test: int = Field(1, ge=0, le=100_000)
    """Solutions of the base for each test problem (reported calibration; never trained on)."""
    num_from_provers: int = Field(0, ge=0, le=100_000)
    """Solutions of each prover for each training problem, labelled like the base's."""
    temperature: float = Field(1.0, gt=0, le=5)
    """Sampling temperature of every policy."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Nucleus of every policy's sampling."""
    max_tokens: int = Field(64, ge=1, le=1 << 20)
    """Longest response, in tokens."""
    num_shards: int = Field(8, ge=1, le=10_000)
    """Buckets of problems; one unit of work each."""
