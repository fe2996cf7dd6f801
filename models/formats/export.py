"""Step labels as formats of booleans hold them: from counts of our own, or as imported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pav.models.formats.records import Kind

# What a boolean loses of a label of each kind.
LOST = {
    "counts": "soft values are lost: true is any right rollout, or a right answer at the end",
    "soft": "soft values are lost: true is any value above 0",
    "rating": "ratings are lost: true is 1 or 0, false is -1",
}


@dataclass(frozen=True, slots=True)
class StepSigns:
    """Whether each step of a solution is right, by one source; None where it does not say."""

    kind: str
    signs: tuple[bool | None, ...]

    @property
    def num_known(self) -> int:
        """How many of the first steps are labelled without a gap."""
        return next(
            (number for number, sign in enumerate(self.signs) if sign is None), len(self.signs)
        )


def own_signs(step_labels: Sequence[Mapping[str, Any]]) -> StepSigns:
    """Return the hard labels (Math-Shepherd's: any right) of our own counts, the root left out.

    `step_labels` are in order and from 0; a finished solution's last value is its verdict.
    """
    values = [label["value"] for label in step_labels if label["num_steps"] > 0]
    return StepSigns("counts", tuple(None if value is None else value > 0 for value in values))


def imported_signs(labels: Iterable[Mapping[str, Any]], *, num_steps: int) -> list[StepSigns]:
    """Return the imported labels of a solution as booleans, one for each source of them."""
    found = []
    for (_, kind, _), members in groupby(labels, key=_source):
        signs: list[bool | None] = [None] * num_steps
        for label in members:
            if label["num_steps"] > 0 and label["value"] is not None:
                signs[label["num_steps"] - 1] = is_right(kind, label["value"])
        found.append(StepSigns(kind, tuple(signs)))
    return found


def is_right(kind: Kind, value: float) -> bool:
    """Return whether a label says that a step is right; a neutral rating does."""
    if kind == "error":
        return value == 0
    return value >= 0 if kind == "rating" else value > 0


def _source(label: Mapping[str, Any]) -> tuple[str, Kind, str | None]:
    return label["format"], label["kind"], label["labeler"]
