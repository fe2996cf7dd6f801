"""The record of a label planner, and the work that its units are told."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pav.models.errors import InputError
from pav.models.labels.budget import WorkUnit
from pav.models.planners.blocks import OpenSolution, Planner
from pav.models.planners.rules import BlockRule
from pav.models.settings import LabelSettings, RunSettings, Settings
from pav.tasks.store.units import Work

# Open prefixes that a pilot measures.
MEASURED_PREFIXES = 512


class PlannerWork(Work):
    """A planner with its settings; `num_rollouts` is how often it estimates a prefix in full.

    Fields with the names of settings of `label`, or of `knobs`, are filled from them.
    """

    # The block of settings that a plug-in has for itself, of the group `pav.settings`.
    knobs: ClassVar[type[Settings] | None] = None
    # A planner's own revision: raised when its code changes what its units hold, so others' labels
    # stay.
    code: ClassVar[int | None] = None

    kind: str
    num_rollouts: int
    revision: int | None = None

    @classmethod
    def check(cls, settings: RunSettings) -> None:
        """Raise InputError where settings of the planner contradict each other."""

    @classmethod
    def chosen(cls, kind: str, settings: RunSettings, num_rollouts: int) -> Self:
        """Return the planner as the settings have it; `kind` is its name."""
        blocks: list[Settings] = [settings.label]
        if cls.knobs:
            blocks.append(settings.plugins.of(cls.knobs))
        known = {"kind": kind, "num_rollouts": num_rollouts, "revision": cls.code}
        asked = set(cls.model_fields) - known.keys()
        for block in blocks:
            known |= block.model_dump(mode="json", include=asked)
        return cls.model_validate(known)

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return the planners of one problem's solutions."""
        raise TypeError(f"planner {self.kind!r} has no planners of solutions")

    def blocks(self, wanted: int, block_size: int) -> int:
        """Return rollouts as whole blocks; 0 stands for `num_rollouts`."""
        return -(-(wanted or self.num_rollouts) // block_size)


@dataclass(frozen=True)
class LabelPlanner:
    """All that pav knows of a planner.

    Attributes:
        work: what a unit is told, a whole shard; None: a unit is one block of every prefix.
        rules: the stopping rules by which it wants blocks.
        takes_budget: whether `label.budget` may replace it by rounds of a common budget.
        is_fixed: whether each prefix that it labels has the same number of rollouts.
        grows_with: what its cost is in proportion to.
        pilot_prefixes: open prefixes that show its cost.
    """

    work: type[PlannerWork] | None
    rules: tuple[BlockRule, ...]
    takes_budget: bool = False
    is_fixed: bool = False
    grows_with: WorkUnit = "prefixes"
    pilot_prefixes: int = MEASURED_PREFIXES

    def pieces(self, settings: RunSettings, num_rollouts: int) -> Iterable[dict[str, Any]]:
        """Return the parts in which a shard is labelled, as parameters of their units."""
        label: LabelSettings = settings.label
        if self.work is None:
            return [{"block": number} for number in range(-(-num_rollouts // label.block_size))]
        if not num_rollouts:
            return []
        work = self.work.chosen(label.planner, settings, num_rollouts)
        return [{"planner": work.parameters()}]

    def check_rules(self, kind: str, used: Iterable[str]) -> None:
        """Raise InputError where blocks were wanted by a rule that the planner does not state."""
        patterns = [rule.pattern for rule in self.rules]
        for name in used:
            if not any(re.fullmatch(pattern, name) for pattern in patterns):
                raise InputError(
                    f"planner {kind!r}: expected blocks by its stopping rules {patterns}, got "
                    f"{name!r}; state the rule in the planner's entry, or mend its pattern"
                )
