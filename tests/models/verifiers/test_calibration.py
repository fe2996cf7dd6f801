import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from pav.models.errors import InputError
from pav.models.verifiers.calibration import Calibration, fit_platt, fit_where_better


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


def test_the_ridge_pulls_to_no_change_where_rows_say_little():
    logits, targets, weights = (np.array(each) for each in ([-1.0, 0.5], [0.9, 0.8], [0.02, 0.03]))

    def penalised(parameters):
        p = expit(parameters[0] * logits + parameters[1])
        loss = -np.sum(weights * (targets * np.log(p) + (1 - targets) * np.log(1 - p)))
        return loss + 0.005 * ((parameters[0] - 1) ** 2 + parameters[1] ** 2)

    expected = minimize(penalised, [1.0, 0.0], tol=1e-10).x
    found = fit_platt(logits, targets, weights)
    assert (found.scale, found.bias) == pytest.approx(expected, abs=1e-4)
    # Halfway between no change and what the rows ask for.
    assert 0.1 < found.bias < 2


def distorted(*, num_problems, scale, bias, seed):
    """Logits, verdicts, weights and problems, whose true logits are scale * logit + bias."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, size=num_problems * 20)
    verdicts = random.random(logits.size) < expit(scale * logits + bias)
    problems = [f"p{number // 20}" for number in range(logits.size)]
    return logits, verdicts, np.ones(logits.size), problems


def test_a_calibration_that_helps_rows_left_out_is_kept_as_fitted_on_all():
    *rows, problems = distorted(num_problems=40, scale=0.5, bias=-1.0, seed=0)
    found = fit_where_better(*rows, groups=problems)
    assert found == fit_platt(*rows)
    assert found != Calibration()


def test_a_calibration_that_fits_noise_is_dropped():
    dropped = 0
    for seed in range(20):
        *rows, problems = distorted(num_problems=6, scale=1.0, bias=0.0, seed=seed)
        assert fit_platt(*rows) != Calibration()
        dropped += fit_where_better(*rows, groups=problems) == Calibration()
    assert dropped > 10


def test_rows_of_one_problem_do_not_judge_each_other():
    # Each of six problems leans its own way, in 50 rows of a logit that does not tell it.
    targets = np.repeat([0.1, 0.9, 0.1, 0.9, 0.9, 0.1], 50)
    logits = np.repeat(np.random.default_rng(1).normal(0, 3, 6), 50)
    problems, rows = np.repeat(list("abcdef"), 50).tolist(), [str(row) for row in range(300)]
    assert fit_where_better(logits, targets, np.ones(300), groups=rows) != Calibration()
    assert fit_where_better(logits, targets, np.ones(300), groups=problems) == Calibration()


def test_one_problem_cannot_be_judged_by_others_and_changes_nothing():
    assert fit_where_better([0.0, 1.0], [0.9, 0.9], [1, 1], groups=["p", "p"]) == Calibration()
    with pytest.raises(InputError, match="a group for each of 2 rows"):
        fit_where_better([0.0, 1.0], [0.9, 0.9], [1, 1], groups=["p"])


def test_a_calibration_is_kept_however_little_its_rows_weigh():
    logits, targets, _, problems = distorted(num_problems=40, scale=0.5, bias=-1.0, seed=0)
    found = fit_where_better(logits, targets, np.full(800, 0.001), groups=problems)
    assert found != Calibration()
