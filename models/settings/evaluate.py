"""Search on held-out problems."""

from typing import Annotated, Literal

from pydantic import Field

from pav.models.settings.base import Settings, distinct_numbers


class EvaluateSettings(Settings):
    """Search on held-out problems."""

    num_samples: Annotated[tuple[int, ...], distinct_numbers(1, 65_536)] = (1, 4, 16, 64)
    """Candidates: solutions for best-of-N, candidates per step over the whole beam."""
    best_of_k: Annotated[tuple[int, ...], distinct_numbers(1, 65_536, at_least=0)] = (2, 4, 8, 16)
    """K of the BoK provers; `main_k` is one of them in any case."""
    main_k: int = Field(4, ge=1, le=65_536)
    """The K that the claims are made for."""
    alphas: Annotated[tuple[float, ...], distinct_numbers(0, 1000)] = (0.1, 0.3, 0.5, 0.7, 1.0)
    """Grid of alpha, tried on validation problems only."""
    alpha_num_samples: int = Field(16, ge=1, le=65_536)
    """Candidates while alpha is chosen."""
    prover_value: Literal["formula", "head"] = "formula"
    """BoK value: 1 - (1 - Q)^K of the Q network, or a trained head."""
    beam_width: int = Field(0, ge=0, le=65_536)
    """Beams kept at each step; 0 means num_samples // 4."""
    max_steps: int = Field(0, ge=0, le=1 << 20)
    """Most steps of a response in a beam; with 0 only `sample.max_tokens` bounds it."""
    paper_beam: bool = False
    """Also run beams by the paper's count: N beams are kept and three next steps of each are
    sampled."""
    final_pick: Literal["validation", "q_last", "q_product", "orm", "q_likely", "orm_likely"] = (
        "validation"
    )
    """Which score picks among finished beams; `validation` chooses on validation problems."""
    likelihood_weight: float = Field(0.2, ge=0, le=1000)
    """Weight of a response's log-probability in the picks `q_likely` and `orm_likely`."""
    search_seeds: int = Field(3, ge=1, le=1000)
    """Search seeds of the main arms: ORM, beam on Q and beam on Q + alpha A with main_k."""
    other_seeds: int = Field(1, ge=0, le=1000)
    """Search seeds of every other arm."""
