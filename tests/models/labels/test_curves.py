import math

import numpy as np
import pytest

from pav.models.labels.curves import (
    Point,
    Sums,
    equal_price,
    frontier,
    halves,
    interval,
    point,
    resamples,
    rollouts_at,
)


def flat(setting, rollouts, error, accuracy=0.5, size=3):
    full = [np.full(size, each, dtype=np.float64) for each in (rollouts, error, accuracy)]
    return Point(setting, *full)


def test_a_point_weighs_prefixes_and_solutions_not_problems():
    sums = Sums(
        squared=np.array([0.12, 0.0]), prefixes=np.array([3.0, 1.0]),
        rollouts=np.array([30.0, 2.0]), wrong=np.array([1.0, 3.0]), found=np.array([1.0, 0.0]),
    )  # fmt: skip
    made = point("n", sums, np.array([[0.5, 0.5], [1.0, 0.0]]))
    # Both: .12 / 4 = .03; 32 / 4; 1 of 4. The first alone: .04, 10, 1 of 1.
    assert made.error == pytest.approx([math.sqrt(0.03), 0.2])
    assert made.rollouts_per_prefix.tolist() == [8.0, 10.0]
    assert made.accuracy.tolist() == [0.25, 1.0]


def test_an_error_below_the_truths_own_variance_is_none():
    sums = Sums(*(np.array([each]) for each in (-0.1, 1.0, 1.0, 1.0, 1.0)))
    assert point("n", sums, np.ones((1, 1))).error.tolist() == [0.0]


def test_between_settings_errors_fall_as_a_power_of_rollouts():
    # Error 1 / sqrt(n): .5 at 4 and .25 at 16, so that .3536 is at 8.
    points = [flat("4", 4, 0.5), flat("16", 16, 0.25)]
    assert rollouts_at(points, np.full(3, 0.125**0.5), figure="error") == pytest.approx([8.0] * 3)


def test_a_level_below_the_cheapest_setting_costs_the_cheapest_and_one_never_reached_nothing():
    points = [flat("4", 4, 0.5), flat("16", 16, 0.25)]
    found = rollouts_at(points, np.array([0.9, 0.5, 0.1]), figure="error")
    assert found[:2].tolist() == pytest.approx([4.0, 4.0])
    assert math.isnan(found[2])


def test_accuracy_is_read_off_where_the_curve_first_reaches_it():
    points = [flat("a", 4, 1, 0.5), flat("b", 16, 1, 0.7), flat("c", 64, 1, 0.6)]
    found = rollouts_at(points, np.array([0.5, 0.6, 0.7]), figure="accuracy")
    # Halfway in log rollouts from a to b.
    assert found == pytest.approx([4.0, 8.0, 16.0])


def test_the_frontier_leaves_out_what_a_cheaper_setting_is_as_good_as():
    points = [flat("d", 16, 0.1, 0.9), flat("b", 8, 0.3, 0.5), flat("a", 4, 0.3, 0.6),
              flat("c", 12, 0.2, 0.6)]  # fmt: skip
    assert frontier(points, "error") == ["a", "c", "d"]
    assert frontier(points, "accuracy") == ["a", "d"]


def test_halves_part_the_problems():
    first, second = halves(7, seed=0)
    assert (first + second).tolist() == [1.0] * 7
    assert sorted([first.sum(), second.sum()]) == [3.0, 4.0]
    assert first.tolist() != halves(7, seed=1)[0].tolist()


def by_problem(rollouts, squared):
    ones = np.ones(len(squared))
    return Sums(np.array(squared, dtype=np.float64), ones, ones * rollouts, ones, ones)


def test_a_price_is_read_off_on_the_half_that_had_no_say_in_the_settings():
    # Two settings of 8 rollouts, each good by luck on one half of the problems and bad on the
    # other; a dear one is better than the reference, of 16, everywhere.
    lucky = {"cheap": by_problem(4, [0.49] * 4), "one": by_problem(8, [0.01, 0.01, 0.5, 0.5]),
             "other": by_problem(8.001, [0.5, 0.5, 0.01, 0.01]),
             "dear": by_problem(32, [0.0025] * 4)}  # fmt: skip
    parts = (np.array([1.0, 1, 0, 0]), np.array([0.0, 0, 1, 1]))
    weights = np.full((1, 4), 0.25)
    reference = by_problem(16, [0.04] * 4)
    found = equal_price(lucky, reference, weights, figure="error", parts=parts)
    # On each half the setting that was lucky on the other one is bad, error sqrt(.5) at 8; the
    # reference's .2 is on the line from there to .05 at 32. Lucky ones alone would cost half.
    share = math.log(0.5**0.5 / 0.2) / math.log(0.5**0.5 / 0.05)
    assert found == pytest.approx([8 * 4**share / 16], rel=1e-3)
    [honest] = equal_price(
        {"half": by_problem(8, [0.04] * 4)}, reference, weights, figure="error", parts=parts
    )
    assert honest == pytest.approx(0.5)


def test_a_half_without_a_wrong_solution_has_no_accuracy_and_no_price():
    sums = Sums(*(np.array(each, dtype=np.float64) for each in (
        [0.1, 0.1], [1, 1], [8, 8], [1, 0], [1, 0],
    )))  # fmt: skip
    parts = (np.array([1.0, 0]), np.array([0.0, 1]))
    found = equal_price({"n": sums}, sums, np.full((1, 2), 0.5), figure="accuracy", parts=parts)
    assert math.isnan(found[0])


def test_an_interval_is_that_of_the_resamples_and_what_is_not_reached_is_infinitely_dear():
    values = np.concatenate([[5.0], np.arange(100.0)])
    assert interval(values, confidence=0.9) == (5.0, 5.0, 94.0)
    values[1:11] = np.nan
    assert interval(values, confidence=0.9)[2] == math.inf


def test_the_first_resample_is_all_problems_once():
    weights = resamples(5, 20, seed=0)
    assert weights.shape == (21, 5)
    assert weights[0].tolist() == [0.2] * 5
    assert weights.sum(axis=1) == pytest.approx(np.ones(21))
