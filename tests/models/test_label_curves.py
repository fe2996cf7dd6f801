import math

import numpy as np
import pytest

from pav.models.label_curves import Point, Sums, interval, point, resamples, rollouts_at


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


def test_accuracy_is_read_off_the_best_so_far():
    points = [flat("a", 4, 1, 0.6), flat("b", 8, 1, 0.5), flat("c", 16, 1, 0.7)]
    found = rollouts_at(points, np.array([0.6, 0.65, 0.7]), figure="accuracy")
    # From b, at the best so far .6, halfway in log rollouts to c.
    assert found == pytest.approx([4.0, math.sqrt(8 * 16), 16.0])


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
