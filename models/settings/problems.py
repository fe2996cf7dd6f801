"""Which problems."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pav.models.settings.base import Settings
from pav.models.settings.choice import choice


def _listed(value: Any) -> Any:
    """A number alone as a list of one."""
    return [value] if isinstance(value, int) else value


Counts = Annotated[tuple[Annotated[int, Field(ge=2, le=6)], ...], BeforeValidator(_listed)]


class ProblemSettings(Settings):
    """Which problems, and how they are split."""

    domain: Annotated[str, choice("domains", "countdown", "math")] = "countdown"
    """Family of problems: how questions are shown, responses cut into steps and checked."""
    path: str = ""
    """JSONL, CSV or Parquet file with `question` and `answer`; empty for the embedded problems
    of a domain that has them, such as the hands of countdown."""
    target: int = Field(24, ge=1, le=10_000)
    """Number to reach (embedded hands)."""
    targets: tuple[int, ...] = ()
    """Lowest and highest number to reach, such as [1, 100], in place of `target`. Each hand gets
    `targets_per_hand` drawn targets that it reaches, all in one split (embedded hands)."""
    targets_per_hand: int = Field(1, ge=1, le=16)
    """Targets of a hand, where `targets` gives a range (embedded hands)."""
    highest: int = Field(13, ge=2, le=100)
    """Largest number in a hand (embedded hands)."""
    num_numbers: Counts = Field((4,), min_length=1)
    """Numbers in a hand: one size such as 4, or several such as [4, 5] (embedded hands)."""
    max_train: int = Field(1_000_000, ge=1, le=10**9)
    """Use at most this many training problems, in order of their hash."""
    max_validation: int = Field(1_000_000, ge=1, le=10**9)
    """Use at most this many validation problems, in order of their hash."""
    max_test: int = Field(1_000_000, ge=1, le=10**9)
    """Use at most this many test problems, in order of their hash."""
    prompt: str = "{question}\n"
    """Text that a policy sees before the first step, `{question}` in its place (math)."""
    segmenter: Literal["line", "paragraph", "sentence", "words", "call"] = "line"
    """What a step is (math): a line, a paragraph, a sentence, `step_words` words, or a line inside
    the first function call or fenced block."""
    step_words: int = Field(32, ge=1, le=100_000)
    """Words in one step (math, segmenter `words`)."""
    answer_mark: Literal["any", "hashes", "boxed", "pattern"] = "any"
    """Where the final answer stands (math): after `####`, in the last \\boxed{}, where
    `answer_pattern` says, or `any`: the last of these and of "The answer is 18.", "final answer
    is", "Answer: 18" and a line "A: 18", in bold or not."""
    answer_pattern: str = ""
    """Regular expression whose only group is the final answer, such as `^A: (.*)`; ^ and $ match at
    lines (math)."""
