from itertools import combinations
from math import comb, isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models import estimators
from pav.models.errors import InputError


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
