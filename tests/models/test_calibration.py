import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from pav.models.calibration import Calibration, fit_platt
from pav.models.errors import InputError


@given(st.floats(0.3, 3.0), st.floats(-2.0, 2.0))
def test_a_known_distortion_is_recovered(scale, bias):
    logits = np.linspace(-4, 4, 2001)
    found = fit_platt(logits, expit(scale * logits + bias), np.ones(2001))
    assert (found.scale, found.bias) == pytest.approx((scale, bias), abs=2e-3)


def test_verdicts_give_what_logistic_regression_gives():
    random = np.random.default_rng(0)
    logits = random.normal(size=4000)
    verdicts = random.random(4000) < expit(0.5 * logits - 1)
    weights = random.integers(1, 4, size=4000)
    reference = LogisticRegression(C=1e4).fit(logits[:, None], verdicts, sample_weight=weights)
    found = fit_platt(logits, verdicts, weights)
    expected = (reference.coef_[0, 0], reference.intercept_[0])
    assert (found.scale, found.bias) == pytest.approx(expected, abs=1e-3)


def test_separable_labels_stay_finite_and_no_labels_change_nothing():
    found = fit_platt([-1.0, 1.0], [0.0, 1.0], [1.0, 1.0])
    assert 1 < found.scale < 20
    assert fit_platt([3.0], [0.0], [0.0]) == Calibration(1.0, 0.0)


def test_rows_without_weight_do_not_count():
    logits, targets = [-2.0, 0.0, 2.0, 9.0], [0.1, 0.4, 0.8, 0.0]
    whole = fit_platt(logits, targets, [1, 1, 1, 0])
    assert whole == fit_platt(logits[:3], targets[:3], [1, 1, 1])


def test_probabilities_apply_scale_and_bias():
    assert Calibration(2.0, -1.0).probabilities([0.5, 1.0]) == pytest.approx([0.5, expit(1.0)])


def test_columns_of_different_length_are_refused():
    with pytest.raises(InputError, match="equal lengths"):
        fit_platt([0.0], [0.0, 1.0], [1.0])
