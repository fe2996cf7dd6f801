"""A label planner of another package: every n-th prefix, until its first right rollout."""

from collections.abc import Sequence

from toy_planner_settings import ToyPlannerSettings

from pav.models.planners.blocks import Block, OpenSolution, Planner, counts
from pav.models.planners.rules import FIXED, RULES, BlockRule
from pav.tasks.label.planner_work import LabelPlanner, PlannerWork

FIRST_RIGHT = BlockRule(
    "first_right", r"first_right most=\d+", "no earlier rollout of the prefix was right"
)


def every_nth(solution: OpenSolution, *, every: int, most: int) -> Planner:
    """Roll out every n-th prefix of a solution until one is right, by `most` blocks at most."""
    going = list(solution.prefixes[::every])
    for number in range(most):
        rule = f"{FIRST_RIGHT.name} most={most}" if number else FIXED
        replies = yield [Block(prefix, number, rule) for prefix in going]
        pairs = zip(going, replies, strict=True)
        going = [prefix for prefix, rolled in pairs if not counts([rolled])[0]]


class EveryNth(PlannerWork):
    """Labels every n-th prefix; `every` is filled from the settings block."""

    knobs = ToyPlannerSettings
    every: int

    def planners(self, solutions: Sequence[OpenSolution], block_size: int) -> list[Planner]:
        """Return a planner for each solution."""
        most = self.blocks(self.num_rollouts, block_size)
        return [every_nth(each, every=self.every, most=most) for each in solutions]


PLANNER = LabelPlanner(EveryNth, (RULES[FIXED], FIRST_RIGHT))
