"""How candidates are ranked: effective rewards step by step, and picks among finished solutions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

# Probabilities by step of one solution or prefix, index 0 being the bare problem.
Scores = Sequence[float]
BASE_VERIFIER = "q"
RuleKind = Literal["first", "last", "product", "effective_last", "effective_mean", "effective_min"]


@dataclass(frozen=True, slots=True)
class Prover:
    """The policy under which progress is measured, and the network that knows its value.

    `k` > 1 stands for the best-of-K policy of the network's policy, by 1 - (1 - Q)^K (Eq. 30).
    """

    name: str = ""
    verifier: str = BASE_VERIFIER
    k: int = 1

    def value(self, score: float) -> float:
        """Return the prover's value of a prefix from its network's score."""
        return score if self.k == 1 else 1.0 - (1.0 - score) ** self.k

    def advantage(self, scores: Scores) -> float:
        """Return A^mu of the last step (Eq. 2); 0 for a bare problem."""
        return self.value(scores[-1]) - self.value(scores[-2]) if len(scores) > 1 else 0.0


# A score of 0 has no logarithm.
_LEAST = 1e-12

# The base as its own prover: with alpha 0 the plain value.
BASE = Prover()


def effective_reward(q: Scores, mu: Scores, *, prover: Prover, alpha: float) -> float:
    """Return Q + alpha A^mu of the last step (the bracket of Eq. 5); exactly Q where alpha is 0."""
    return q[-1] + alpha * prover.advantage(mu)


def effective_rewards(q: Scores, mu: Scores, *, prover: Prover, alpha: float) -> list[float]:
    """Return the effective reward after each step; `q` and `mu` begin with the bare problem."""
    return [
        effective_reward(q[:end], mu[:end], prover=prover, alpha=alpha)
        for end in range(2, len(q) + 1)
    ]


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished response as rules see it: its scores by verifier, and its other properties.

    `log_prob`, in nats, is the response's under the policy. `num_tokens` includes end-of-text.
    `answer` is the same text for equal answers, and None without an answer.
    """

    scores: Mapping[str, Scores]
    log_prob: float = 0.0
    num_tokens: int = 1
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How the final pick among finished responses is made.

    Each response has a score. `first`: 1 for all; `last`: the verifier's last score; `product`: the
    product of its scores over the steps; `effective_last`, `effective_mean`, `effective_min`: that
    aggregate of the effective rewards (the paper does not name its own).

    With `likelihood` the rank is the logarithm of the score plus `likelihood` times the response's
    log-probability: verifiers err most on what the policy hardly ever says. With `per_token` the
    log-probability is the one that the response would have at the mean length of all responses.

    With `is_vote` the scores of equal answers are added up and the best response of the best
    answer is taken: majority with `first`, weighted majority (Li et al. 2023) with `last`.
    """

    kind: RuleKind
    verifier: str = BASE_VERIFIER
    prover: Prover = BASE
    alpha: float = 0.0
    likelihood: float = 0.0
    per_token: bool = False
    is_vote: bool = False

    @property
    def verifiers(self) -> frozenset[str]:
        """The roles whose scores this rule reads."""
        if self.kind == "first":
            return frozenset()
        if self.kind in ("last", "product"):
            return frozenset({self.verifier})
        return frozenset({self.verifier, self.prover.verifier})

    def pick(self, responses: Sequence[Finished]) -> int:
        """Return the index of the response that this rule takes, the first one on a tie."""
        scores = [self.score(each.scores) for each in responses]
        if self.is_vote:
            return best(_votes(responses, scores))
        if not self.likelihood:
            return best(scores)
        pairs = zip(scores, self._log_probs(responses), strict=True)
        return best([math.log(max(score, _LEAST)) + self.likelihood * log for score, log in pairs])

    def _log_probs(self, responses: Sequence[Finished]) -> list[float]:
        if not self.per_token:
            return [each.log_prob for each in responses]
        mean_length = sum(each.num_tokens for each in responses) / len(responses)
        return [each.log_prob / each.num_tokens * mean_length for each in responses]

    def score(self, scores: Mapping[str, Scores]) -> float:
        """Return a response's score from its probabilities by verifier; higher is better."""
        if self.kind == "first":
            return 1.0
        q = scores[self.verifier]
        if self.kind == "last":
            return q[-1]
        if self.kind == "product":
            return math.prod(q[1:])
        mu = scores[self.prover.verifier]
        rewards = effective_rewards(q, mu, prover=self.prover, alpha=self.alpha) or [q[0]]
        if self.kind == "effective_last":
            return rewards[-1]
        if self.kind == "effective_min":
            return min(rewards)
        return sum(rewards) / len(rewards)


def _votes(responses: Sequence[Finished], scores: Sequence[float]) -> list[tuple[float, float]]:
    """Return the votes for each response's answer, and its own score; no answer has no votes."""
    votes: dict[str | None, float] = {}
    for each, score in zip(responses, scores, strict=True):
        if each.answer is not None:
            votes[each.answer] = votes.get(each.answer, 0.0) + score
    return [(votes.get(each.answer, 0.0), own) for each, own in zip(responses, scores, strict=True)]


Rank = TypeVar("Rank", float, tuple[float, float])


def best(ranks: Sequence[Rank]) -> int:
    """Return the index of the highest rank, the first one on a tie."""
    return max(range(len(ranks)), key=ranks.__getitem__)
