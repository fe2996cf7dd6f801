"""The records that algorithms, the driver and the engines exchange; standard library only."""

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeVar

Until = Literal["step", "end"]
# Sources whose answers were checked; answers by a vote or by nobody were not.
LABELLING_SOURCES = ("human", "program", "formal")
OTHER_SOURCES = ("vote", "none")
FinishReason = Literal["stop", "step", "length"]


class Verdict(StrEnum):
    """The outcome of one response; num_rollouts counts all but `failed`."""

    CORRECT = "correct"
    WRONG = "wrong"
    TRUNCATED = "truncated"
    UNPARSED = "unparsed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with a checkable answer; equal problems have equal `canonical_key`s."""

    problem_id: str
    domain: str
    question: str
    answer: str
    split: str
    answer_source: str = "program"
    source: str = "embedded"
    canonical_key: str = ""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A problem and its first steps as generated; `is_finished` once the policy has ended it."""

    problem_id: str
    steps: tuple[str, ...] = ()
    is_finished: bool = False

    @property
    def text(self) -> str:
        """The steps joined, without the prompt."""
        return "".join(self.steps)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled continuation of a prefix, cut into its new steps.

    `finish` is "stop" when the policy ended the response, "step" when one step was asked
    for and completed, "length" when the token limit cut it off. `log_prob`, in nats, is that of
    what was sampled, end-of-text included, under the policy as it samples.
    """

    steps: tuple[str, ...]
    finish: FinishReason
    num_tokens: int
    # Its last bits depend on the batch, so that equality leaves it out.
    log_prob: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Grading:
    """A verdict with its reason; `wrong_step` is the 1-based step of the first error, or None."""

    verdict: Verdict
    reason: str = ""
    wrong_step: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two answers that text alone cannot compare; a grader outside of `models` decides.

    `reason` goes with the verdict, whichever it will be.
    """

    gold: str
    answer: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Extend:
    """Sample `num_samples` continuations of each prefix; the reply is a tuple of Samples each.

    `max_tokens` bounds the whole response, the prefix's steps included, so that a rollout is cut
    off where the policy's own response would be; a prefix at the bound gets empty samples.
    `purpose`, `seed` and the prefix's block (one for each of `prefixes`; all 0 where none is given)
    name the random stream together with policy, problem and prefix, so what is sampled does not
    depend on what else is in the batch.
    """

    policy: str
    prefixes: tuple[Prefix, ...]
    num_samples: int
    until: Until
    max_tokens: int
    purpose: str
    seed: int = 0
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """Score each prefix: len(steps) + 1 probabilities each, the bare problem first."""

    verifier: str
    prefixes: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """Check each response of a problem; the reply is one Grading each."""

    responses: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class LogProb:
    """Ask for the log-probability in nats of each continuation (one step) given its prefix."""

    policy: str
    prefixes: tuple[Prefix, ...]
    continuations: tuple[str, ...]


Request = Extend | Score | Grade | LogProb
Result = TypeVar("Result")
# The reply's type follows the request's class, which Python cannot say of a generator.
Algorithm = Generator[Request, Any, Result]


@dataclass(frozen=True, slots=True)
class Generation:
    """What an engine is asked for: `num_samples` continuations of one sequence of token ids.

    `stream` is a 64-bit key; the uniform number of (stream, sample, position) comes from it alone.
    `until_step` stops a sample at the first token that holds the step delimiter.
    """

    request_id: int
    token_ids: tuple[int, ...]
    num_samples: int
    max_tokens: int
    stream: int
    until_step: bool = False


@dataclass(frozen=True, slots=True)
class Generated:
    """One finished sample of a Generation: new token ids, end-of-text excluded.

    `log_prob`, in nats, is that of what was sampled, end-of-text included.
    """

    request_id: int
    sample: int
    token_ids: tuple[int, ...]
    finish: FinishReason
    # Its last bits depend on the batch, so that equality leaves it out.
    log_prob: float = field(default=0.0, compare=False)
