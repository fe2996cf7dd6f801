"""`pav bench coverage`: what the intervals and estimates of labels are worth, by arithmetic.

It needs no run, and says the same on every machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pav.models.labels.coverage import (
    INTERVALS,
    Bias,
    Coverage,
    biases,
    coverage,
    coverage_of_all_looks,
    peeking_plan,
)
from pav.models.labels.sequential import SequentialRule
from pav.models.labels.stopping_plans import StoppingPlan, fixed_plan

CONFIDENCE = 0.95
VALUES = tuple(number / 200 for number in range(1, 200))
FIXED = (8, 16, 64)
RULES = (
    SequentialRule(8, 0.3, 0.0, CONFIDENCE, 64),
    SequentialRule(8, 0.0, 0.5, CONFIDENCE, 64),
    SequentialRule(8, 0.2, 0.5, CONFIDENCE, 256),
)
NUM_LOOKS = 8
BIAS_VALUES = (0.05, 0.2, 0.5, 0.8)
BIAS_KS = (1, 4)
# The example of docs/method.md: four rollouts; if none or all are right enough, else 20.
FOUR_OR_TWENTY = StoppingPlan((4, 16), frozenset({(1, 4), (2, 4), (3, 4)}))
ESTIMATES = {
    "plug_in": "plug-in",
    "as_if_fixed": "as if fixed",
    "first_block": "first block",
    "of_plan": "of the rule",
}


def bench_coverage() -> dict[str, Any]:
    """Return coverage under every way of stopping, and the bias of every estimate, as JSON."""
    return {
        "bench": "coverage",
        "confidence": CONFIDENCE,
        "values": VALUES,
        "coverage": [asdict(each) for each in _coverages()],
        "bias": [asdict(each) for each in _biases()],
    }


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as two tables for people."""
    return "\n".join([*_coverage_lines(figures), "", *_bias_lines(figures["bias"])])


def _coverage_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"intervals at {figures['confidence']:g}, over {len(figures['values'])} values in (0, 1)"
    yield (f"{'rollouts stop':44} {'interval':16} {'holds':>6} {'worst':>6} {'at':>6} "
           f"{'rollouts':>9} {'width':>6}")  # fmt: skip
    for row in figures["coverage"]:
        yield (f"{row['stopping']:44} {row['interval']:16} {row['mean']:6.3f} "
               f"{row['worst']:6.3f} {row['worst_at']:6.3f} {row['num_rollouts']:9.1f} "
               f"{row['width']:6.3f}")  # fmt: skip


def _bias_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "estimates of 1 - (1 - q)^K: mean and, in brackets, root mean squared error"
    heads = " ".join(f"{name:>14}" for name in ESTIMATES.values())
    yield f"{'rollouts stop':44} {'q':>5} {'K':>2} {'truth':>6} {heads}"
    groups: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in rows:
        cells = groups.setdefault((row["stopping"], row["q"], row["k"], row["truth"]), {})
        cells[row["estimate"]] = f"{row['mean']:.3f} ({row['error']:.3f})"
    for (stopping, q, k, truth), cells in groups.items():
        shown = " ".join(f"{cells.get(name, 'none'):>14}" for name in ESTIMATES)
        yield f"{stopping:44} {q:5.2f} {k:2d} {truth:6.3f} {shown}"


def _coverages() -> Iterator[Coverage]:
    for stopping, plan in _plans():
        for interval in INTERVALS:
            yield coverage(plan, VALUES, stopping=stopping, interval=interval,
                           confidence=CONFIDENCE)  # fmt: skip
    for interval in INTERVALS:
        yield coverage_of_all_looks(
            RULES[0].block, NUM_LOOKS, VALUES, interval=interval, confidence=CONFIDENCE
        )


def _plans() -> Iterator[tuple[str, StoppingPlan]]:
    for number in FIXED:
        yield f"fixed {number}", fixed_plan(number)
    for rule in RULES:
        yield f"sequence {_question(rule)}", rule.plan
    for rule in RULES:
        yield f"wilson {_question(rule)}", peeking_plan(rule, "wilson")


def _question(rule: SequentialRule) -> str:
    asked = [f"width {rule.width:g}"] if rule.width else []
    asked += [f"side of {rule.threshold:g}"] if rule.threshold else []
    return f"{' or '.join(asked)}, most {rule.most}"


def _biases() -> Iterator[Bias]:
    plans = {"4, or 20 unless 0/4 or 4/4": FOUR_OR_TWENTY}
    plans |= {f"sequence {_question(rule)}": rule.plan for rule in RULES}
    for stopping, plan in plans.items():
        for k in BIAS_KS:
            for q in BIAS_VALUES:
                yield from biases(plan, stopping=stopping, q=q, k=k)
