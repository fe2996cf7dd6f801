import numpy as np
import pytest

from pav.models.labels.coverage import biases, coverage, coverage_of_all_looks, peeking_plan
from pav.models.labels.sequential import SequentialRule
from pav.models.labels.stopping_plans import StoppingPlan, fixed_plan

VALUES = tuple(number / 50 for number in range(1, 50))
NARROW_OR_CLEAR = SequentialRule(block=8, width=0.3, threshold=0.5, confidence=0.95, most=64)


def covered(plan, interval, values=VALUES):
    return coverage(plan, values, stopping="", interval=interval, confidence=0.95)


def test_one_rollout_with_a_wilson_interval_covers_what_is_computed_by_hand():
    # 0/1 gives (0, .793), 1/1 (.207, 1): at .1 only 0/1 holds it, at .5 both do.
    found = covered(fixed_plan(1), "wilson", (0.1, 0.5))
    assert (found.worst, found.worst_at) == (pytest.approx(0.9), 0.1)
    assert found.mean == pytest.approx(0.95)
    assert (found.num_rollouts, found.width) == (1.0, pytest.approx(0.7935, abs=1e-4))


@pytest.mark.parametrize("number", [8, 16, 64])
def test_with_a_fixed_number_the_exact_interval_covers_and_wilson_does_on_average(number):
    assert covered(fixed_plan(number), "clopper_pearson").worst >= 0.95
    assert covered(fixed_plan(number), "wilson").mean == pytest.approx(0.95, abs=0.01)


def test_stopping_when_a_wilson_interval_is_clear_of_one_half_breaks_it_but_not_the_sequence():
    plan = peeking_plan(NARROW_OR_CLEAR, "wilson")
    assert covered(plan, "wilson").worst < 0.85
    assert covered(plan, "clopper_pearson").worst < 0.95
    assert covered(plan, "sequence").worst >= 0.95


def test_peeking_with_the_rules_own_interval_is_the_rule():
    assert peeking_plan(NARROW_OR_CLEAR, "sequence") == NARROW_OR_CLEAR.plan


@pytest.mark.parametrize("interval", ["wilson", "jeffreys", "clopper_pearson"])
def test_of_eight_looks_at_any_interval_for_a_fixed_number_one_fails_too_often(interval):
    found = coverage_of_all_looks(8, 8, VALUES, interval=interval, confidence=0.95)
    assert found.mean < 0.92


def test_all_eight_looks_at_the_sequence_hold_together():
    found = coverage_of_all_looks(8, 8, VALUES, interval="sequence", confidence=0.95)
    assert found.worst >= 0.95


def test_one_look_is_a_fixed_number():
    looked = coverage_of_all_looks(8, 1, VALUES, interval="wilson", confidence=0.95)
    fixed = covered(fixed_plan(8), "wilson")
    assert (looked.mean, looked.worst) == pytest.approx((fixed.mean, fixed.worst))


def test_the_biases_of_four_or_twenty_are_those_of_the_method_page():
    plan = StoppingPlan((4, 16), frozenset({(1, 4), (2, 4), (3, 4)}))
    means = {each.estimate: each.mean for each in biases(plan, stopping="", q=0.2, k=4)}
    assert means == pytest.approx(
        {"plug_in": 0.366, "as_if_fixed": 0.384, "first_block": 0.590, "of_plan": 0.590}, abs=6e-4
    )


@pytest.mark.parametrize("q", [0.05, 0.2, 0.5])
def test_the_estimate_of_the_plan_is_never_less_sure_than_the_first_block(q):
    found = {each.estimate: each.error for each in biases(NARROW_OR_CLEAR.plan, stopping="",
                                                          q=q, k=4)}  # fmt: skip
    assert found["of_plan"] <= found["first_block"] + 1e-12


def test_the_error_of_one_rollout_is_that_of_a_coin():
    # c is 0 or 1, each squared distance to .5 is .25.
    [plug_in, *_] = biases(fixed_plan(1), stopping="", q=0.5, k=1)
    assert (plug_in.mean, plug_in.error) == (0.5, 0.5)


def test_an_estimate_that_does_not_exist_is_left_out():
    found = {each.estimate for each in biases(fixed_plan(2), stopping="", q=0.5, k=3)}
    assert found == {"plug_in"}


def test_the_sequence_is_wider_than_an_interval_for_a_fixed_number():
    widths = [covered(fixed_plan(64), kind).width for kind in ("wilson", "sequence")]
    assert np.diff(widths) > 0.1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_value_of_none_or_all_is_held_at_every_look(value):
    # All rollouts are wrong, or all are right, and then an interval reaches 0 or 1.
    assert coverage_of_all_looks(8, 4, [value], interval="sequence", confidence=0.95).worst == 1
