"""The result and the cost of a search, of every strategy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pav.models.records import Grading, Prefix, Verdict


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a strategy samples: the role of its policy, the seed, the longest response in tokens."""

    policy: str
    seed: int
    max_tokens: int
    purpose: str = "search"


@dataclass(slots=True)
class SearchCost:
    """Cost of a search so far; discarded candidates count, a repeated forward pass does not.

    `scored` has, by verifier, the number of forward passes and their response tokens
    (the prompt's are left out: only the driver knows them).
    """

    num_candidates: int = 0
    generated_tokens: int = 0
    scored: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add_candidates(self, num_tokens: Collection[int]) -> None:
        """Count sampled candidates by the tokens of each."""
        self.num_candidates += len(num_tokens)
        self.generated_tokens += sum(num_tokens)

    def add_scored(self, verifier: str, num_tokens: Collection[int]) -> None:
        """Count forward passes of a verifier by the tokens of each."""
        passes, tokens = self.scored.get(verifier, (0, 0))
        self.scored[verifier] = passes + len(num_tokens), tokens + sum(num_tokens)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The responses that finished in a search, and which of them each final pick takes.

    `picks` maps a final pick to an index into `responses`; it is empty when nothing finished.
    `num_cut_off` counts the beams that were still open at the bound on steps.
    """

    responses: tuple[Prefix, ...]
    gradings: tuple[Grading, ...]
    picks: Mapping[str, int]
    cost: SearchCost
    num_cut_off: int = 0

    def is_correct(self, pick: str) -> bool:
        """Return whether the response of a final pick is right; False when nothing finished."""
        return bool(self.picks) and _is_right(self.gradings[self.picks[pick]])

    def text(self, pick: str) -> str:
        """Return the response of a final pick; empty when nothing finished."""
        return self.responses[self.picks[pick]].text if self.picks else ""

    @property
    def is_any_correct(self) -> bool:
        """Whether some response that finished in the search is right (its pass)."""
        return any(map(_is_right, self.gradings))


def _is_right(grading: Grading) -> bool:
    return grading.verdict == Verdict.CORRECT
