"""The figures of `pav bench labels`: curves, prices at equal error, searches, and rates."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pav.models.labels.curves import (
    Point,
    Sums,
    equal_price,
    halves,
    interval,
    point,
    resamples,
    rollouts_at,
)
from pav.models.planners.binary_search import binary_search
from pav.models.planners.exhaustive import exhaustive
from pav.models.planners.replay import replay
from pav.tasks.bench.label_case import BLOCK, Case
from pav.tasks.bench.labels import SEARCHES, curve, played, players

Floats = NDArray[np.float64]

RESAMPLES = 1000
EXHAUSTIVE = "exhaustive"
# The reference of each figure's prices. For values: the same rollouts for every prefix. For first
# errors: only the rollouts that can show a first error.
REFERENCES = {"error": EXHAUSTIVE, "accuracy": "walk, n each"}
# What the project promises: the price of a planner's labels as a share of the reference's, at most.
SHARE = 0.5
# The planners that the promise is for, by figure.
PROMISED = {
    "error": ("adaptive, budget", "first pit"),
    "accuracy": ("adaptive, first error", "first pit"),
}


def label_figures(case: Case, *, seed: int) -> dict[str, Any]:
    """Return curves, prices at equal error and accuracy, and how binary search fared, as JSON."""
    weights = resamples(case.num_problems, RESAMPLES, seed=seed)
    sums = {planner: played(case, settings) for planner, settings in players(case).items()}
    return {
        "num_problems": case.num_problems,
        "num_prefixes": len(case.pool.prefixes),
        "num_solutions": len(case.solutions),
        "num_wrong": sum(error is not None for error in case.errors),
        "longest": max(len(each.prefixes) for each in case.solutions),
        "curves": {
            planner: [_point_record(each) for each in curve(settings, weights)]
            for planner, settings in sums.items()
        },
        "prices": [
            record
            for figure in REFERENCES
            for record in _prices(sums, figure, weights=weights, seed=seed)
        ],
        "binary_search": [compare_searches(case, k) for k in SEARCHES],
    }


def _point_record(each: Point) -> dict[str, Any]:
    return {
        "setting": each.setting,
        "rollouts_per_prefix": interval(each.rollouts_per_prefix),
        "error": interval(each.error),
        "accuracy": interval(each.accuracy),
    }


def _prices(
    sums: Mapping[str, Mapping[str, Sums]], figure: str, *, weights: Floats, seed: int
) -> list[dict[str, Any]]:
    """Return each planner's rollouts as a share of the reference's where both are as good."""
    reference = REFERENCES[figure]
    parts = halves(weights.shape[1], seed=seed)
    records = []
    for planner, settings in sums.items():
        for at, fixed in sums[reference].items() if planner != reference else ():
            share = equal_price(settings, fixed, weights, figure=figure, parts=parts)
            level = getattr(point(at, fixed, weights[:1]), figure)
            # Taken on all problems at once: the amount serves a bench of rates and is no claim.
            bought = rollouts_at(curve(settings, weights[:1]), level, figure=figure)
            records.append({
                "planner": planner, "figure": figure, "reference": reference, "at": at,
                "level": float(level[0]), "share": interval(share),
                "rollouts_per_prefix": float(bought[0]),
                "promised": SHARE if planner in PROMISED[figure] else None,
            })  # fmt: skip
    return records


def equal_rollouts(figures: Mapping[str, Any], planner: str, *, at: str) -> float:
    """Return the rollouts per prefix at which a planner has the error of an exhaustive setting."""
    [record] = [
        each for each in figures["prices"]
        if (each["planner"], each["figure"], each["at"]) == (planner, "error", at)
    ]  # fmt: skip
    return float(record["rollouts_per_prefix"])


def compare_searches(case: Case, k: int) -> dict[str, Any]:
    """Return how often binary search finds the first error that trying every prefix finds.

    Both see the same k rollouts of a prefix. Only wrong solutions whose problem is alive count.
    """
    wrong = [
        each for each, error in zip(case.solutions, case.errors, strict=True) if error is not None
    ]
    blocks = k // BLOCK
    every = replay(case.pool, (exhaustive(each.prefixes, range(blocks)) for each in wrong))
    searched = replay(
        case.pool, (binary_search(each, num_blocks=blocks, fresh_blocks=0) for each in wrong)
    )
    correct, _ = every.totals(every.rules)
    index = case.pool.index
    found = {True: [0, 0], False: [0, 0]}
    for solution, pit in zip(wrong, searched.returned, strict=True):
        alive = [bool(correct[index[prefix]]) for prefix in solution.prefixes]
        if alive[0]:
            first = alive.index(False) if False in alive else len(alive)
            end = len(alive) if pit is None else len(pit.steps)
            of_kind = found[not any(alive[first:])]
            of_kind[0] += 1
            of_kind[1] += first == end
    return {
        "k": k, "num_solutions": found[True][0] + found[False][0],
        "num_monotone": found[True][0], "same_where_monotone": found[True][1],
        "num_violations": found[False][0], "same_where_not": found[False][1],
        "rollouts": int(np.sum(searched.num_rollouts)),
        "exhaustive_rollouts": int(np.sum(every.num_rollouts)),
    }  # fmt: skip


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as one table for people."""
    lines = [
        f"{figures['num_prefixes']:,} prefixes of {figures['num_solutions']:,} solutions of "
        f"{figures['num_problems']} problems; truth of Q: other rollouts, their variance taken "
        "off; of first errors: the exact solver",
        f"{'planner':24}{'setting':>16}{'rollouts':>10}{'error of Q':>26}{'first errors':>24}",
    ]
    for planner, points in figures["curves"].items():
        lines += [_point_line(planner, each) for each in points]
    lines.append("")
    lines.append(
        "rollouts as a share of the reference's, where both are as good; settings chosen on the "
        "other half of the problems"
    )
    lines += [_price_line(each) for each in figures["prices"] if _is_known(each)]
    lines.append("")
    lines.append(
        f"binary search in solutions of at most {figures['longest']} open prefixes: with so few "
        "it says how often the search agrees with trying all, not how its price grows"
    )
    lines += [_search_line(each) for each in figures["binary_search"]]
    for rates in figures.get("rates", ()):
        lines += ["", *_rate_lines(rates)]
    return "\n".join(lines)


def _is_known(record: Mapping[str, Any]) -> bool:
    return math.isfinite(record["share"][0])


def _point_line(planner: str, each: Mapping[str, Any]) -> str:
    error, accuracy = each["error"], each["accuracy"]
    return (
        f"{planner:24}{each['setting']:>16}{each['rollouts_per_prefix'][0]:10.1f}"
        f"{error[0]:12.4f} ({error[1]:.4f}-{error[2]:.4f})"
        f"{100 * accuracy[0]:10.1f} % ({100 * accuracy[1]:.1f}-{100 * accuracy[2]:.1f})"
    )


def _price_line(each: Mapping[str, Any]) -> str:
    share = each["share"]
    promised = f"  promised at most {each['promised']:g}" if each["promised"] else ""
    level = f"{each['level']:.4f}" if each["figure"] == "error" else f"{100 * each['level']:.1f} %"
    return (
        f"{each['planner']:24}{each['figure']:>10} {level:>8} of {each['reference']}, "
        f"{each['at']:10}"
        f"{share[0]:8.2f} ({share[1]:.2f}-{share[2]:.2f}){promised}"
    )


def _search_line(each: Mapping[str, Any]) -> str:
    return (
        f"binary search, k = {each['k']:<3} same first error as every prefix: "
        f"{each['same_where_monotone']:,} of {each['num_monotone']:,} where values are monotone, "
        f"{each['same_where_not']:,} of {each['num_violations']:,} where not; "
        f"{each['rollouts']:,} of {each['exhaustive_rollouts']:,} rollouts"
    )


def _rate_lines(rates: Mapping[str, Any]) -> list[str]:
    lines = [
        f"labels per second of {rates['num_labels']:,} prefixes with the error of {rates['fixed']} "
        f"rollouts each (budget: {rates['budget'] / rates['num_labels']:.1f} in blocks of "
        f"{rates['block']}), one thread"
    ]
    own = rates["labels_per_second"]["adaptive, budget"]
    for name, rate in rates["labels_per_second"].items():
        promised = rates["promised"].get(name)
        times = f"{own / rate:8.1f} x" if rate != own else ""
        lines.append(
            f"{name:34}{rate:10,.1f}{times}{f'  promised {promised:g}' if promised else ''}"
        )
    return lines
