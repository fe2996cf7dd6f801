"""Solutions and step labels made elsewhere: the records that every format's parser returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# hard: 1 right, 0 wrong, by rollouts; soft: a share of right rollouts, their number unknown;
# rating: a person's -1, 0 or 1; error: 1 where the step is named as wrong, else 0.
Kind = Literal["hard", "soft", "rating", "error"]
# stop: the response is whole; length: cut off; open: nobody went on; unknown: not said.
Finish = Literal["stop", "length", "open", "unknown"]


@dataclass(frozen=True, slots=True)
class ImportedLabel:
    """The label of a row for the first `num_steps` steps; `value` None where the row has none."""

    num_steps: int
    kind: Kind
    value: float | None


@dataclass(frozen=True, slots=True)
class ImportedSolution:
    """One response with the labels of its prefixes; empty text where the row says nothing.

    `steps` joined are the response. `is_cut` False: they are one text that the domain cuts.
    `is_correct` is what the row says of the final answer.
    """

    question: str
    steps: tuple[str, ...]
    labels: tuple[ImportedLabel, ...] = ()
    finish: Finish = "stop"
    is_cut: bool = True
    answer: str = ""
    answer_source: str = ""
    problem_id: str = ""
    split: str = ""
    policy: str = ""
    source: str = ""
    labeler: str | None = None
    is_correct: bool | None = None

    @property
    def text(self) -> str:
        """The response, without the prompt."""
        return "".join(self.steps)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The solutions of one row, and how often it says something that is not kept, by what."""

    solutions: tuple[ImportedSolution, ...]
    remarks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write solutions and step labels down, a JSON object (or a table's row) each.

    `silences` lists what no row can say. `answer_pattern`, with one group, finds the answer that
    responses mark; it is empty where the marks of the domain are enough.
    """

    name: str
    parse: Callable[[Mapping[str, Any]], Parsed]
    silences: tuple[str, ...] = ()
    answer_pattern: str = ""
