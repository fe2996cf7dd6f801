"""Search on held-out problems."""

from typing import Literal

from pydantic import Field

from pav.models.settings.base import Settings


class EvaluateSettings(Settings):
    """Search on held-out problems."""

    num_samples: tuple[int, ...] = (1, 4, 16, 64)
    """Candidates: solutions for best-of-N, candidates per step over the whole beam."""
    best_of_k: tuple[int, ...] = (2, 4, 8, 16)
    """K of the BoK provers."""
    main_k: int = Field(4, ge=1)
    """The K that the claims are made for."""
    alphas: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 1.0)
    """Grid of alpha, tried on validation problems only."""
    alpha_num_samples: int = Field(16, ge=1)
    """Candidates while alpha is chosen."""
    prover_value: Literal["formula", "head"] = "formula"
    """BoK value: 1 - (1 - Q)^K of the Q network, or a trained head."""
    beam_width: int = Field(0, ge=0)
    """Beams kept at each step; 0 means num_samples // 4."""
    max_steps: int = Field(0, ge=0)
    """Most steps of a response in a beam; 0 leaves it to sample.max_tokens."""
    paper_beam: bool = False
    """Also run beams by the paper's count: N kept, three steps sampled of each."""
    final_pick: Literal["validation", "q_last", "q_product", "orm", "q_likely", "orm_likely"] = (
        "validation"
    )
    """Which score picks among finished beams; `validation` chooses on validation problems."""
    likelihood_weight: float = Field(0.2, ge=0)
    """Weight of a response's log-probability in the picks `q_likely` and `orm_likely`."""
    search_seeds: int = Field(3, ge=1)
    """Search seeds of the main arms: ORM, beam on Q and beam on Q + alpha A with main_k."""
    other_seeds: int = Field(1, ge=0)
    """Search seeds of every other arm."""
