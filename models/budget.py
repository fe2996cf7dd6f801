"""What rollouts cost, and how many of them a budget buys."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pav.models.errors import InputError
from pav.models.records import Grading, Sample, Verdict

BudgetUnit = Literal["rollouts", "tokens", "minutes"]
# Verdicts that say nothing of the answer: what they cost is paid all the same.
UNANSWERED = frozenset({Verdict.TRUNCATED, Verdict.UNPARSED, Verdict.FAILED})
# What a pilot must have measured for a budget in that unit.
_NEEDED: Mapping[BudgetUnit, tuple[str, str]] = {
    "tokens": ("generated_tokens", "rollouts"),
    "minutes": ("steady_seconds", "steady_rollouts"),
}

# What a pilot's measured part had, and what grows with the prefixes to be labelled.
_SCALED = (
    "labels", "rollouts", "prompt_tokens", "generated_tokens", "wasted_tokens", "seconds",
)  # fmt: skip


def rollouts_for(
    budget: float, unit: BudgetUnit, *, pilots: Sequence[Mapping[str, float]], workers: int
) -> int:
    """Return how many rollouts a budget buys, rounded down.

    Args:
        budget: how much there is to spend.
        unit: rollouts; generated tokens; or minutes of the clock while all workers decode.
        pilots: cost items of one pilot for each policy; their rollouts are taken as the mix in
            which the budget will be spent. Not read where `unit` is rollouts.
        workers: how many workers decode at the same time.
    """
    if unit == "rollouts":
        return int(budget)
    amount, count = (_total(pilots, item, unit) for item in _NEEDED[unit])
    available = budget * 60 * workers if unit == "minutes" else budget
    # Amount over count first would lose the last rollout of a round number to rounding.
    return int(available * count / amount)


def total_cost(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the sum of each cost item over units."""
    total: dict[str, float] = {}
    for cost in costs:
        for item, amount in cost.items():
            total[item] = total.get(item, 0.0) + amount
    return total


def scaled(pilot: Mapping[str, float], num_prefixes: int) -> dict[str, float]:
    """Return what labelling so many open prefixes costs at the rates of a pilot's measured part."""
    times = num_prefixes / max(pilot["steady_prefixes"], 1)
    return {item: pilot[f"steady_{item}"] * times for item in _SCALED}


def spread_budget(
    first_blocks: Mapping[str, Mapping[str, float]], rollouts: int
) -> dict[str, dict[str, float]]:
    """Return what a budget costs by policy, from what a first block of every prefix costs.

    The rollouts of the budget are taken to be as long as those of first blocks. Labels are as many
    as the budget reaches with a block each.
    """
    times = rollouts / max(sum(cost["rollouts"] for cost in first_blocks.values()), 1)
    return {
        role: {item: amount * (min(times, 1.0) if item == "labels" else times)
               for item, amount in cost.items()}
        for role, cost in first_blocks.items()
    }  # fmt: skip


def wasted_tokens(graded: Iterable[tuple[Sample, Grading]]) -> int:
    """Return the generated tokens of samples that were cut off, not parsed or not graded."""
    return sum(sample.num_tokens for sample, grading in graded if grading.verdict in UNANSWERED)


def _total(pilots: Sequence[Mapping[str, float]], item: str, unit: BudgetUnit) -> float:
    total = sum(pilot.get(item, 0.0) for pilot in pilots)
    if total <= 0:
        raise InputError(
            f"budget in {unit}: expected pilots that measured {item}, got {total!r} from "
            f"{len(pilots)} of them; run `pav label --estimate` first, or give the budget in "
            "rollouts"
        )
    return total
