from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from pav.models.claims import intervals as statistics
from pav.models.claims.discordance import score_interval
from pav.models.errors import InputError

RANDOM = np.random.default_rng(1)
WEIGHTS = statistics.bootstrap_weights(100, 4000, seed=3)
Claim = TypeVar("Claim")


def known(claim: Claim | None) -> Claim:
    """Return what the data say; fail where they say nothing."""
    assert claim is not None
    return claim


def test_resamples_are_shares_of_a_whole_and_repeat_with_the_seed():
    assert np.allclose(WEIGHTS.sum(axis=1), 1)
    assert WEIGHTS.shape == (4000, 100)
    assert np.array_equal(WEIGHTS[:50], statistics.bootstrap_weights(100, 4000, seed=3)[:50])
    assert not np.array_equal(WEIGHTS, statistics.bootstrap_weights(100, 4000, seed=4))


def test_nothing_to_resample_is_refused():
    with pytest.raises(InputError, match="at least one problem"):
        statistics.bootstrap_weights(0, 10, seed=0)


def test_the_bootstrap_interval_of_many_problems_is_near_the_normal_one():
    values = RANDOM.normal(0.2, 1.0, 100)
    interval = statistics.over_problems(values, WEIGHTS)
    half = 1.96 * values.std() / 10
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)


def test_a_constant_difference_has_an_interval_of_no_width():
    interval = statistics.over_problems(np.full(100, 0.25), WEIGHTS)
    assert (interval.low, interval.high) == pytest.approx((0.25, 0.25))
    assert interval.excludes_zero


def test_an_interval_around_zero_is_no_difference():
    assert not statistics.Interval(0.1, -0.1, 0.3).excludes_zero
    assert statistics.Interval(-0.2, -0.3, -0.1).excludes_zero


def test_columns_on_shared_resamples_are_the_single_intervals():
    table = RANDOM.random((100, 3))
    together = statistics.over_problems_many(table, WEIGHTS)
    for column, interval in enumerate(together):
        alone = statistics.over_problems(table[:, column], WEIGHTS)
        assert (interval.low, interval.high) == pytest.approx((alone.low, alone.high))


def test_three_seeds_use_the_t_quantile_of_two_degrees_of_freedom():
    # means .1, .2, .3: error .1 / sqrt(3), t(2, .975) = 4.302653
    interval = known(statistics.over_seeds([[0.0, 0.2], [0.2, 0.2], [0.1, 0.5]]))
    assert interval.mean == pytest.approx(0.2)
    assert interval.high - interval.mean == pytest.approx(4.302653 * 0.1 / 3**0.5)


def test_one_seed_says_nothing_of_seeds():
    assert statistics.over_seeds([[0.0, 1.0]]) is None
    assert statistics.over_both([[0.0, 1.0]]) is None


def test_seeds_that_agree_leave_the_problems_interval():
    values = RANDOM.normal(0.1, 0.5, 100)
    interval = known(statistics.over_both(np.stack([values] * 3)))
    half = 1.984217 * values.std(ddof=1) / 10  # t with the problems' 99 degrees of freedom
    assert interval.high - interval.mean == pytest.approx(half, rel=1e-4)


def test_seeds_that_differ_widen_the_interval_over_both():
    values = RANDOM.normal(0.1, 0.5, (1, 100))
    apart = values + np.array([[-0.2], [0.0], [0.2]])
    alike, differing = (known(statistics.over_both(each)) for each in (values.repeat(3, 0), apart))
    assert differing.high - differing.low > 2 * (alike.high - alike.low)


def test_seeds_of_one_mean_are_no_knowledge_of_seeds():
    # .1 + .2 is not .3: rounding is no spread either
    alike = np.array([[0.1, 0.2, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.3]])
    assert statistics.over_seeds(alike) is None
    assert statistics.over_seeds(np.zeros((3, 5))) is None
    assert statistics.over_both(np.zeros((3, 5))) is None


def test_the_interval_over_both_is_no_narrower_than_what_is_known_of_problems():
    difference = np.zeros((3, 262))
    problems = statistics.over_pairs(difference, statistics.bootstrap_weights(262, 100, seed=0))
    both = known(statistics.over_both(difference, problems=problems))
    assert (both.low, both.high) == pytest.approx((problems.low, problems.high), rel=0.01)


def test_few_discordant_problems_have_a_score_interval_many_are_resampled():
    weights = statistics.bootstrap_weights(100, 2000, seed=1)
    few, many = (np.repeat([1.0, 0.0], (count, 100 - count)) for count in (19, 20))
    assert statistics.is_few(few)
    assert not statistics.is_few(many)
    found = statistics.over_pairs(few, weights)
    assert (found.low, found.high) == score_interval(19, 0, 100, confidence=0.95)
    assert found.mean == pytest.approx(0.19)
    assert statistics.over_pairs(many, weights) == statistics.over_problems(many, weights)


def test_a_problems_seeds_are_one_problem_to_the_score_interval():
    # 3 seeds: problem 0 is won twice and lost once, problem 1 won once
    difference = np.zeros((3, 50))
    difference[:, 0], difference[0, 1] = (1, 1, -1), 1
    found = statistics.over_pairs(difference, WEIGHTS)
    assert (found.low, found.high) == score_interval(1.0, 1 / 3, 50, confidence=0.95)
    assert statistics.num_discordant(difference) == 2
    cancelled = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert statistics.num_discordant(cancelled) == 1


def test_the_bootstrap_over_both_is_centred_and_wider_than_over_problems():
    apart = RANDOM.normal(0.1, 0.5, (1, 100)) + np.array([[-0.2], [0.0], [0.2]])
    both = statistics.resampled_both(apart, WEIGHTS)
    problems = statistics.over_problems(apart.mean(axis=0), WEIGHTS)
    assert both.mean == pytest.approx(problems.mean)
    assert both.high - both.low > problems.high - problems.low


def test_a_curve_meets_its_target_half_way_in_the_log():
    assert statistics.match_point([4, 16, 64], [0.2, 0.4, 0.6], 0.5) == pytest.approx(32)
    assert statistics.match_point([4, 16, 64], [0.2, 0.4, 0.6], 0.4) == pytest.approx(16)


def test_a_curve_that_starts_above_its_target_matches_at_its_first_point():
    assert statistics.match_point([4, 16], [0.7, 0.8], 0.6) == pytest.approx(4)


def test_a_curve_that_never_gets_there_has_no_match():
    assert statistics.match_point([4, 16], [0.2, 0.3], 0.6) is None


@given(st.floats(0.05, 0.95), st.floats(1.5, 12))
def test_a_curve_shifted_by_a_ratio_matches_at_that_ratio(target, ratio):
    amounts = 2.0 ** np.arange(8)
    accuracies = np.linspace(0, 1, 8)
    slow = known(statistics.match_point(amounts * ratio, accuracies, target))
    fast = known(statistics.match_point(amounts, accuracies, target))
    assert slow / fast == pytest.approx(ratio)


def test_two_seeds_use_the_t_quantile_of_one_degree_of_freedom():
    # means .1 and .3: error .1, t(1, .975) = 12.7062
    interval = known(statistics.over_seeds([[0.0, 0.2], [0.4, 0.2]]))
    assert interval.high - interval.mean == pytest.approx(12.7062 * 0.1, rel=1e-5)


def test_variances_of_seeds_and_problems_add_with_satterthwaites_degrees_of_freedom():
    # Seeds' means 0, 1/2, 1: 1/4 / 3 = 1/12. Problems' means 1/3, 2/3: 1/18 / 2 = 1/36.
    # (1/9)^2 / ((1/12)^2 / 2 + (1/36)^2 / 1) = 32/11, and the error is 1/3.
    interval = known(statistics.over_both([[0, 0], [0, 1], [1, 1]]))
    assert interval.mean == pytest.approx(0.5)
    assert interval.high - 0.5 == pytest.approx(student.ppf(0.975, 32 / 11) / 3)
    # Two seeds of two problems: 1/16 + 1/16, two degrees of freedom.
    least = known(statistics.over_both([[0, 1], [1, 1]]))
    assert least.high - 0.75 == pytest.approx(4.302653 / 8**0.5)
