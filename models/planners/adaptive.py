"""The adaptive planner: rolls out each prefix until its own counts are enough."""

from collections.abc import Sequence

from pav.models.labels.sequential import SequentialRule
from pav.models.planners.blocks import Block, OpenSolution, Planner, counts
from pav.models.planners.rules import FIXED
from pav.models.records import Prefix


def adaptive(solution: OpenSolution, rule: SequentialRule) -> Planner:
    """Roll out every open prefix of one solution, block by block, until the rule stops it."""
    yield from _until_stopped(solution.prefixes, rule)


def adaptive_walk(solution: OpenSolution, rule: SequentialRule) -> Planner:
    """Roll out one prefix after another until one is without a right rollout when it stops.

    Return that first error, or None. Later prefixes cannot change the first error and are left out.
    A correct solution has none: only the bare problem is rolled out.
    """
    for prefix in solution.prefixes[:1] if solution.is_correct else solution.prefixes:
        [correct] = yield from _until_stopped([prefix], rule)
        if not correct:
            return prefix
    return None


def _until_stopped(prefixes: Sequence[Prefix], rule: SequentialRule) -> Planner:
    """Roll out prefixes side by side until the rule stops each; return their right rollouts."""
    totals = dict.fromkeys(prefixes, (0, 0))
    going, number = list(totals), 0
    while going:
        name = rule.name if number else FIXED
        replies = yield [Block(prefix, number, name) for prefix in going]
        for prefix, rolled in zip(going, replies, strict=True):
            correct, rollouts = counts([rolled])
            totals[prefix] = totals[prefix][0] + correct, totals[prefix][1] + rollouts
        number += 1
        most = number * rule.block >= rule.most
        going = [] if most else [prefix for prefix in going if rule.goes_on(*totals[prefix])]
    return [totals[prefix][0] for prefix in prefixes]
