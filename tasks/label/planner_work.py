"""What each planner is told of a shard's solutions: its settings, and the planners they make.

A planner that looks at outcomes is a class here, by the name that `label.planner` has. Fields with
the names of settings of `label` are filled from them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pav.models.labels.sequential import SequentialRule
from pav.models.planners.adaptive import adaptive, adaptive_walk
from pav.models.planners.binary_search import binary_search
from pav.models.planners.blocks import OpenSolution, Planner
from pav.models.planners.first_pit import PitBudget, first_pit
from pav.models.planners.tree_search import Selection, TreeBudget, tree_search
from pav.models.settings import LabelSettings
from pav.tasks.store.units import Work


class PlannerWork(Work):
    """A planner with its settings; `num_rollouts` is how often it estimates a prefix in full."""

    name: ClassVar[str]
    # Raised where the code of one planner changes what its units hold, so that others' labels stay.
    code: ClassVar[int | None] = None

    kind: str
    num_rollouts: int
    revision: int | None = None

    @classmethod
    def chosen(cls, label: LabelSettings, num_rollouts: int) -> Self:
        """Return the planner as the settings have it."""
        own = set(cls.model_fields) - {"kind", "num_rollouts", "revision"}
        values = label.model_dump(mode="json", include=own)
        return cls(kind=cls.name, num_rollouts=num_rollouts, revision=cls.code, **values)

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return the planners of one problem's solutions."""
        raise TypeError(f"planner {self.kind!r} has no planners of solutions")

    def blocks(self, wanted: int, block_size: int) -> int:
        """Return rollouts as whole blocks; 0 stands for `num_rollouts`."""
        return -(-(wanted or self.num_rollouts) // block_size)


class FirstPit(PlannerWork):
    """Rolls out a solution's prefixes in order until its first pit."""

    name = "first_pit"
    search_rollouts: int
    pit_rollouts: int
    pilot_rollouts: int
    high_value: float

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return a walk along each solution."""
        sizes = (self.pilot_rollouts, self.search_rollouts, self.num_rollouts, self.pit_rollouts)
        budget = PitBudget(*(self.blocks(each, block_size) for each in sizes))
        return [first_pit(each, high_value=self.high_value, budget=budget) for each in solutions]


class BinarySearch(PlannerWork):
    """Halves a wrong solution for its first error."""

    name = "binary_search"
    # 2: searches say `fixed` of all they draw but a pit's second estimate.
    code = 2
    search_rollouts: int
    pit_rollouts: int

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return a search in each solution."""
        sizes = {
            "num_blocks": self.blocks(self.search_rollouts, block_size),
            "fresh_blocks": self.blocks(self.pit_rollouts, block_size),
        }
        return [binary_search(each, **sizes) for each in solutions]


class TreeSearch(PlannerWork):
    """Looks for first errors in a tree of a problem's rollouts (OmegaPRM)."""

    name = "tree_search"
    code = 2
    search_rollouts: int
    pit_rollouts: int
    num_searches: int
    search_alpha: float
    search_beta: float
    search_length: float
    search_puct: float

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return one search from the bare problem."""
        budget = TreeBudget(
            self.blocks(self.search_rollouts, block_size),
            self.blocks(self.pit_rollouts, block_size),
            self.num_searches,
        )
        selection = Selection(
            self.search_alpha, self.search_beta, self.search_length, self.search_puct
        )
        return [tree_search(solutions[0].prefixes[0], budget=budget, selection=selection)]


class Adaptive(PlannerWork):
    """Rolls out each prefix until its interval answers the goal."""

    name = "adaptive"
    goal: str
    width: float
    threshold: float
    confidence: float

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return a planner for each solution; with the goal of a first error it walks."""
        walks = self.goal == "first_error"
        rule = SequentialRule(
            block=block_size, width=0.0 if walks else self.width, threshold=self.threshold,
            confidence=self.confidence, most=self.num_rollouts, until_right=walks,
        )  # fmt: skip
        follow = adaptive_walk if walks else adaptive
        return [follow(each, rule) for each in solutions]


PLANNERS: Mapping[str, type[PlannerWork]] = {
    each.name: each for each in (FirstPit, BinarySearch, TreeSearch, Adaptive)
}


def planner_work(values: Mapping[str, Any]) -> PlannerWork:
    """Return the planner that a unit's parameters describe."""
    return PLANNERS[values["kind"]].model_validate(values)
