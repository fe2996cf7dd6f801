"""How candidates are ranked: effective rewards step by step, and picks among finished solutions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# Probabilities by step of one solution or prefix, index 0 being the bare problem.
Scores = Sequence[float]
BASE_VERIFIER = "q"
RuleKind = Literal["first", "last", "product", "effective_last", "effective_mean", "effective_min"]


@dataclass(frozen=True, slots=True)
class Prover:
    """Under which policy progress is measured, and which network knows its value.

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
class Rule:
    """How finished solutions are ranked.

    `first`: all alike, so that the first sampled one is the answer; `last`: the verifier's last
    score; `product`: the product of its scores over the steps; `effective_last`, `effective_mean`,
    `effective_min`: that aggregate of the effective rewards, the paper not saying how its
    PAV-as-ORM aggregates them. With `likelihood` the logarithm of that is added to so many times
    the response's log-probability under the policy: a soft vote of the policy, as weighted
    majority (Li et al. 2023) is at 1. Verifiers err most on what the policy hardly ever says.
    """

    kind: RuleKind
    verifier: str = BASE_VERIFIER
    prover: Prover = BASE
    alpha: float = 0.0
    likelihood: float = 0.0

    @property
    def verifiers(self) -> frozenset[str]:
        """The roles whose scores this rule reads."""
        if self.kind == "first":
            return frozenset()
        if self.kind in ("last", "product"):
            return frozenset({self.verifier})
        return frozenset({self.verifier, self.prover.verifier})

    def rank(self, scores: Mapping[str, Scores], log_prob: float = 0.0) -> float:
        """Return a solution's rank from its scores by verifier; higher is better.

        `log_prob` is that of the response under the policy, in nats.
        """
        score = self._aggregate(scores)
        if not self.likelihood:
            return score
        return math.log(max(score, _LEAST)) + self.likelihood * log_prob

    def _aggregate(self, scores: Mapping[str, Scores]) -> float:
        if self.kind == "first":
            return 0.0
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


def best(ranks: Sequence[float]) -> int:
    """Return the index of the highest rank, the first one on a tie."""
    return max(range(len(ranks)), key=ranks.__getitem__)
