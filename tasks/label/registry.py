"""The label planners by the names that `label.planner` has; packages add theirs."""

from collections.abc import Sequence

from pav.models.errors import InputError
from pav.models.labels.sequential import SequentialRule
from pav.models.planners import rules
from pav.models.planners.adaptive import adaptive, adaptive_walk
from pav.models.planners.binary_search import binary_search
from pav.models.planners.blocks import OpenSolution, Planner
from pav.models.planners.first_pit import PitBudget, first_pit
from pav.models.planners.rules import RULES, BlockRule, rank
from pav.models.planners.tree_search import Selection, TreeBudget, tree_search
from pav.models.plugins import Registry
from pav.models.settings import RunSettings
from pav.tasks.label.planner_work import LabelPlanner, PlannerWork

# Searches for a first error roll out few prefixes, so a pilot needs more of them.
_SEARCHING_PREFIXES = 1024


class FirstPit(PlannerWork):
    """Rolls out a solution's prefixes in order until its first pit."""

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

    # 2: all blocks of a search are `fixed`, except a pit's second estimate.
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

    goal: str
    width: float
    threshold: float
    confidence: float

    @classmethod
    def check(cls, settings: RunSettings) -> None:
        """Raise InputError where nothing would stop it, or a budget has another goal."""
        label = settings.label
        if label.budget and label.goal != "values":
            raise InputError(
                "label.goal: a budget is spent where it lessens the error of values most, expected "
                f"values, got {label.goal!r}; remove the budget, or set label.goal=values"
            )
        if label.goal == "values" and not (label.width or label.threshold or label.budget):
            raise InputError(
                "label.width, label.threshold: expected one above 0, by which `adaptive` stops, "
                "got 0 and 0; set one, or a budget"
            )

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return a planner for each solution; with the goal of a first error it walks."""
        walks = self.goal == "first_error"
        rule = SequentialRule(
            block=block_size, width=0.0 if walks else self.width, threshold=self.threshold,
            confidence=self.confidence, most=self.num_rollouts, until_right=walks,
        )  # fmt: skip
        follow = adaptive_walk if walks else adaptive
        return [follow(each, rule) for each in solutions]


def _rules(*names: str) -> tuple[BlockRule, ...]:
    return tuple(RULES[name] for name in names)


PLANNERS: Registry[LabelPlanner] = Registry(
    "planners",
    {
        "exhaustive": LabelPlanner(None, _rules(rules.FIXED), is_fixed=True),
        "first_pit": LabelPlanner(FirstPit, _rules(rules.FIXED, rules.FRESH, rules.SEARCH)),
        "binary_search": LabelPlanner(
            BinarySearch, _rules(rules.FIXED, rules.FRESH), pilot_prefixes=_SEARCHING_PREFIXES
        ),
        # A tree grows from the bare problem, however many solutions were sampled of it.
        "tree_search": LabelPlanner(
            TreeSearch,
            _rules(rules.FIXED, rules.FRESH),
            grows_with="problems",
            pilot_prefixes=_SEARCHING_PREFIXES,
        ),
        "adaptive": LabelPlanner(
            Adaptive, _rules(rules.FIXED, rules.SEQUENTIAL, rules.ALLOCATED), takes_budget=True
        ),
    },
    is_entry=lambda entry: isinstance(entry, LabelPlanner),
)


def stopping_rules() -> list[BlockRule]:
    """Return the rules of all planners by rank; InputError where two have one name."""
    by_name: dict[str, BlockRule] = {}
    for name, planner in PLANNERS.items():
        for rule in planner.rules:
            other = by_name.setdefault(rule.name, rule)
            if other != rule:
                raise InputError(
                    f"planner {name!r}: the stopping rule {rule.name!r} is another planner's too, "
                    f"expected one with the pattern {other.pattern!r}, got {rule.pattern!r}; "
                    "rename the rule"
                )
    return sorted(by_name.values(), key=lambda rule: rank(rule.name))
