from itertools import combinations
from math import comb, isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.labels import estimators


def counts(max_rollouts=32):
    return st.integers(1, max_rollouts).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_five_of_twenty_rollouts_have_value_a_quarter_and_its_error():
    assert estimators.value(5, 20) == 0.25
    assert estimators.value_error(5, 20) == pytest.approx((0.25 * 0.75 / 20) ** 0.5)


def test_no_rollouts_have_no_value():
    assert np.isnan(estimators.value(0, 0))
    assert np.isnan(estimators.value_error(0, 0))


@given(counts(max_rollouts=9), st.integers(1, 10))
def test_best_of_is_the_share_of_subsets_with_a_right_rollout(count, k):
    correct, rollouts = count
    estimate = estimators.best_of(correct, rollouts, k)
    if k > rollouts:
        assert estimate is None
    else:
        assert estimate is not None
        drawn = [any(i < correct for i in each) for each in combinations(range(rollouts), k)]
        assert isclose(estimate, sum(drawn) / len(drawn), abs_tol=1e-12)


@given(st.floats(0, 1), st.integers(1, 8), st.integers(8, 20))
def test_best_of_is_unbiased_and_the_formula_of_a_mean_is_not_above_it(q, k, rollouts):
    chances = [comb(rollouts, c) * q**c * (1 - q) ** (rollouts - c) for c in range(rollouts + 1)]
    unbiased = estimators.best_of_array(np.arange(rollouts + 1), rollouts, k) @ chances
    plug_in = estimators.best_of_formula(np.arange(rollouts + 1) / rollouts, k) @ chances
    assert unbiased == pytest.approx(float(estimators.best_of_formula(q, k)), abs=1e-9)
    assert plug_in <= unbiased + 1e-9


def test_best_of_array_marks_what_cannot_be_estimated():
    estimate = estimators.best_of_array([0, 1, 4, 2], [4, 4, 4, 2], 4)
    assert estimate[:3].tolist() == [0.0, 1.0, 1.0]
    assert np.isnan(estimate[3])


def test_best_of_zero_is_refused():
    with pytest.raises(InputError, match="k >= 1"):
        estimators.best_of_array(1, 2, 0)


@pytest.mark.parametrize(("correct", "rollouts"), [(3, 2), (-1, 2)], ids=["more", "negative"])
def test_impossible_counts_are_refused(correct, rollouts):
    with pytest.raises(InputError, match="num_correct"):
        estimators.value(correct, rollouts)


@given(st.lists(counts(), min_size=1, max_size=6), st.booleans())
def test_advantages_of_a_finished_solution_sum_to_its_verdict_minus_the_root(labels, verdict):
    correct, rollouts = zip(*labels, strict=True)
    values = estimators.solution_values(correct, rollouts, verdict=verdict)
    assert len(values) == len(labels) + 1
    assert estimators.advantages(values).sum() == pytest.approx(verdict - values[0])


def test_a_solution_that_was_cut_off_has_no_terminal_value():
    assert estimators.solution_values([1, 2], [2, 2], verdict=None).tolist() == [0.5, 1.0]


def test_a_step_that_changes_nothing_has_no_advantage():
    assert estimators.advantages([0.5, 0.5, 1.0]).tolist() == [0.0, 0.5]


def test_the_error_of_an_advantage_adds_both_variances_and_a_verdict_has_none():
    errors = estimators.advantage_errors([0.3, 0.4, 0.0])
    assert errors.tolist() == pytest.approx([0.5, 0.4])


def test_the_error_of_a_best_of_two_of_one_right_in_three_is_the_hand_computed_one():
    # Q = (1 + 1/2) / (3 + 1) = 3/8, a wrong one has chance r = 5/8. Two pairs of three share one
    # of them with chance 2/3 and both with 1/3: Var = 2/3 r^3 + 1/3 r^2 - r^4.
    expected = (2 / 3 * 0.625**3 + 1 / 3 * 0.625**2 - 0.625**4) ** 0.5
    assert float(estimators.best_of_error(1, 3, k=2)) == pytest.approx(expected)


@given(counts(max_rollouts=16), st.integers(1, 16))
def test_the_error_of_best_of_is_its_spread_over_all_counts_at_the_value_near_the_share(count, k):
    correct, rollouts = count
    error = float(estimators.best_of_error(correct, rollouts, k=k))
    if k > rollouts:
        assert np.isnan(error)
        return
    q, c = (correct + 0.5) / (rollouts + 1), np.arange(rollouts + 1)
    chances = [comb(rollouts, x) * q**x * (1 - q) ** (rollouts - x) for x in range(rollouts + 1)]
    estimates = estimators.best_of_array(c, rollouts, k)
    variance = chances @ estimates**2 - (chances @ estimates) ** 2
    assert error == pytest.approx(max(variance, 0) ** 0.5, abs=1e-6)


def test_none_right_of_eight_leaves_a_best_of_four_uncertain():
    # Delta method or jackknife at c/n = 0 would say 0; q as large as .3 gives 0/8 in 6 of 100.
    assert estimators.best_of_error(0, 8, k=4) > 0.25


@given(counts(), counts())
def test_an_advantage_without_common_rollouts_adds_both_variances(before, after):
    found = estimators.advantage_error_shared(before, after, common=(0, 0))
    errors = [estimators.value_error(*each) for each in (before, after)]
    assert float(found) == pytest.approx(float(estimators.advantage_errors(errors)[0]), abs=1e-12)


@given(counts())
def test_a_prefix_against_itself_has_no_error(count):
    assert estimators.advantage_error_shared(count, count, common=count) == 0


@given(counts())
def test_a_finished_solution_leaves_the_error_of_the_prefix_before_it(before):
    found = estimators.advantage_error_shared(before, (1, 1), common=(0, 0))
    assert float(found) == pytest.approx(float(estimators.value_error(*before)), abs=1e-12)


@given(counts(), counts(), counts())
def test_an_advantage_with_common_rollouts_is_surer_by_the_covariance(elsewhere, own, common):
    before = tuple(np.add(elsewhere, common))
    after = tuple(np.add(own, common))
    share, q_after = common[1] / before[1], after[0] / after[1]
    q_before = share * q_after + (1 - share) * elsewhere[0] / elsewhere[1]
    v_after, v_before = q_after * (1 - q_after), q_before * (1 - q_before)
    covariance = common[1] * v_after / (after[1] * before[1])
    expected = v_after / after[1] + v_before / before[1] - 2 * covariance
    found = float(estimators.advantage_error_shared(before, after, common=common))
    assert found**2 == pytest.approx(expected, abs=1e-12)


def test_in_simulation_the_error_with_common_rollouts_is_the_spread_of_the_advantage():
    random, trials = np.random.default_rng(0), 20_000
    # 64 rollouts before a step that six in ten take, .7 right after it and .2 elsewhere; 16 own.
    number = random.binomial(64, 0.6, trials)
    common = random.binomial(number, 0.7)
    before = common + random.binomial(64 - number, 0.2)
    after, total = common + random.binomial(16, 0.7, trials), 16 + number
    errors = estimators.advantage_error_shared(
        (before, 64), (after, total), common=(common, number)
    )
    spread = (after / total - before / 64).std()
    assert np.sqrt((errors**2).mean()) == pytest.approx(spread, rel=0.03)
    apart = estimators.advantage_errors(
        [estimators.value_error(before, 64), estimators.value_error(after, total)]
    )
    assert np.sqrt((apart**2).mean()) > 1.5 * spread


@pytest.mark.parametrize("common", [(4, 4), (0, 4), (1, 9)])
def test_more_common_rollouts_than_a_prefix_has_are_refused(common):
    # Before 3 of 8, after 4 of 5: common ones may be neither more right nor more wrong than both.
    with pytest.raises(InputError, match="num_correct"):
        estimators.advantage_error_shared((3, 8), (4, 5), common=common)
