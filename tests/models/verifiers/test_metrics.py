import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pav.models.errors import InputError
from pav.models.verifiers.metrics import (
    auc,
    brier_score,
    calibration_error,
    log_loss,
    metrics_table,
    reliability_table,
)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 5)), min_size=2))
def test_auc_with_ties_and_counts_is_sklearns_on_the_outcomes(rows):
    scores, correct, wrong = (np.array(column) for column in zip(*rows, strict=True))
    if not correct.sum() or not wrong.sum():
        assert math.isnan(auc(scores, correct, correct + wrong))
        return
    outcomes = np.concatenate([np.ones(len(rows)), np.zeros(len(rows))])
    weights = np.concatenate([correct, wrong])
    expected = roc_auc_score(outcomes, np.tile(scores, 2), sample_weight=weights)
    assert auc(scores, correct, correct + wrong) == pytest.approx(expected)


def test_auc_by_hand():
    # Positives at .9, .9, .5; negatives at .9, .2: wins 0.5 + 1, 0.5 + 1, 0 + 1 of 6.
    assert auc([0.9, 0.5, 0.2], [2, 1, 0], [3, 1, 1]) == pytest.approx(4 / 6)


def test_brier_score_by_hand():
    # (.5 - .75)^2 - .75 * .25 / 3 = 0; verdict: (.8 - 1)^2.
    assert brier_score([0.5, 0.8], [3, 1], [4, 1]) == pytest.approx(0.02)


def test_brier_score_of_the_true_value_is_zero_on_average():
    random = np.random.default_rng(0)
    truth = random.random(200_000)
    counts = random.binomial(8, truth)
    assert brier_score(truth, counts, np.full(truth.size, 8)) == pytest.approx(0, abs=3e-4)
    off = brier_score(np.full(truth.size, 0.5), counts, np.full(truth.size, 8))
    assert off == pytest.approx(1 / 12, abs=1e-3)


def test_calibration_error_by_hand():
    scores, correct, total = [0.12, 0.18, 0.95, 1.0], [0, 1, 3, 4], [2, 2, 4, 4]
    table = reliability_table(scores, correct, total)
    assert table["bin"].to_list() == [1, 9]
    assert table["mean_score"].to_list() == pytest.approx([0.15, 0.975])
    assert table["mean_label"].to_list() == pytest.approx([0.25, 0.875])
    assert calibration_error(scores, correct, total) == pytest.approx(0.1)


def test_deciles_hold_equally_many_prefixes():
    scores = np.linspace(0, 0.05, 200)
    table = reliability_table(scores, np.zeros(200), np.ones(200), by_rank=True)
    assert table["num_prefixes"].to_list() == [20] * 10
    assert reliability_table(scores, np.zeros(200), np.ones(200)).height == 1


def test_rows_without_rollouts_do_not_count():
    assert auc([0.9, 0.1, 0.0], [1, 0, 0], [1, 1, 0]) == 1.0
    assert math.isnan(brier_score([0.5], [0], [0]))
    assert math.isnan(calibration_error([0.5], [0], [0]))


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="0 <= num_correct <= num_rollouts"):
        auc([0.5], [3], [2])
    with pytest.raises(InputError, match="one length"):
        auc([0.5, 0.6], [1], [2])


def test_metrics_by_step_hold_each_step_apart():
    scores = pl.DataFrame({
        "verifier": ["q"] * 5, "num_steps": [0, 0, 1, 1, 1],
        "score": [0.2, 0.8, 0.8, 0.2, 0.5], "num_correct": [0, 2, 0, 2, None],
        "num_rollouts": [2, 2, 2, 2, None],
    })  # fmt: skip
    table = metrics_table(scores, by=("verifier", "num_steps"))
    assert table["auc"].to_list() == [1.0, 0.0]
    assert table["num_prefixes"].to_list() == [2, 2]


def test_rows_without_rollouts_make_no_row_of_metrics():
    scores = pl.DataFrame({
        "verifier": ["q", "orm"], "num_steps": [0, 1], "score": [0.2, 0.8],
        "num_correct": [1, 0], "num_rollouts": [2, 0],
    })  # fmt: skip
    assert metrics_table(scores)["verifier"].to_list() == ["q"]


def test_log_loss_by_hand():
    # -(.75 ln .5 + .25 ln .5) and -ln .8; a sure score that is wrong stays finite.
    assert log_loss([0.5, 0.8], [3, 1], [4, 1]) == pytest.approx((math.log(2) - math.log(0.8)) / 2)
    assert log_loss([1.0], [0], [1]) == pytest.approx(-math.log(1e-12), rel=1e-4)
    assert math.isnan(log_loss([0.5], [0], [0]))
