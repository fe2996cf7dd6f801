"""What rollouts cost, and how many of them a budget buys."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pav.models.errors import InputError
from pav.models.records import Grading, Sample, Verdict

BudgetUnit = Literal["rollouts", "tokens", "minutes"]
# What a planner's work is in proportion to: open prefixes, or problems that have any.
WorkUnit = Literal["prefixes", "problems"]
# Verdicts of samples without a usable answer, whose tokens are paid all the same.
UNANSWERED = frozenset({Verdict.TRUNCATED, Verdict.UNPARSED, Verdict.FAILED})
# The cost items that a budget in each unit is converted by.
_NEEDED: Mapping[BudgetUnit, str] = {"tokens": "generated_tokens", "minutes": "seconds"}
# Items that a pilot measures and that grow with the prefixes to be labelled.
_SCALED = (
    "labels", "rollouts", "prompt_tokens", "generated_tokens", "wasted_tokens", "seconds",
)  # fmt: skip


def rollouts_for(
    budget: float, unit: BudgetUnit, *, costs: Mapping[str, float], workers: int
) -> int:
    """Return how many rollouts a budget buys, rounded down.

    Args:
        budget: how much there is to spend.
        unit: rollouts; generated tokens; or minutes of the clock while all workers decode.
        costs: items of labels as pilots let expect them (rollouts, generated_tokens, seconds of
            workers), policies in the mix in which the budget will be spent. Not read where `unit`
            is rollouts.
        workers: how many workers decode at the same time.
    """
    if unit == "rollouts":
        return int(budget)
    item = _NEEDED[unit]
    amount, count = (_known(costs, each, unit) for each in (item, "rollouts"))
    available = budget * 60 * workers if unit == "minutes" else budget
    # Multiplied first: rounding after a division could lose the last rollout of a round number.
    return int(available * count / amount)


def total_cost(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the sum of each cost item over units."""
    total: dict[str, float] = {}
    for cost in costs:
        for item, amount in cost.items():
            total[item] = total.get(item, 0.0) + amount
    return total


def scaled(pilot: Mapping[str, float], num: int, *, by: WorkUnit) -> dict[str, float]:
    """Return what labelling `num` prefixes or problems costs, at the rates a pilot measured."""
    times = num / max(pilot[f"steady_{by}"], 1)
    return {item: pilot[f"steady_{item}"] * times for item in _SCALED}


def wasted_tokens(graded: Iterable[tuple[Sample, Grading]]) -> int:
    """Return the generated tokens of samples that were cut off, not parsed or not graded."""
    return sum(sample.num_tokens for sample, grading in graded if grading.verdict in UNANSWERED)


def _known(costs: Mapping[str, float], item: str, unit: BudgetUnit) -> float:
    amount = costs.get(item, 0.0)
    if amount <= 0:
        raise InputError(
            f"label.budget in {unit}: expected pilots that measured {item} of labels, got "
            f"{amount!r}; give more problems, or set label.budget_unit to rollouts"
        )
    return amount
