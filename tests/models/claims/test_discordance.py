from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pav.models.claims.discordance import holm, score_interval, sign_test


@pytest.mark.parametrize(
    ("first_only", "second_only", "pairs", "low", "high"),
    [
        # from a scan of differences, the other share's likelihood maximised numerically at each
        (12, 2, 50, 0.0611, 0.3447),
        (5, 1, 60, -0.0179, 0.1674),
        # one share of 30 of 30: Wilson's interval of it
        (30, 0, 30, 1 - 2 * 3.8415 / (30 + 3.8415), 1.0),
    ],
)
def test_the_score_interval_holds_the_differences_that_the_data_do_not_reject(
    first_only, second_only, pairs, low, high
):
    found = score_interval(first_only, second_only, pairs, confidence=0.95)
    assert found == pytest.approx((low, high), abs=1e-4)


def test_no_pair_that_differs_leaves_a_point_and_a_half_either_way():
    low, high = score_interval(0, 0, 262, confidence=0.95)
    assert (round(100 * low, 1), round(100 * high, 1)) == (-1.4, 1.4)
    assert high == pytest.approx(3.84146 / (262 + 3.84146))


@given(st.integers(1, 60), st.data())
def test_the_score_interval_turns_with_the_arms_and_holds_its_middle(pairs, data):
    first_only = data.draw(st.integers(0, pairs))
    second_only = data.draw(st.integers(0, pairs - first_only))
    low, high = score_interval(first_only, second_only, pairs, confidence=0.95)
    turned = score_interval(second_only, first_only, pairs, confidence=0.95)
    assert turned == pytest.approx((-high, -low), abs=1e-7)
    middle = (first_only - second_only) / pairs
    assert -1 <= low <= middle <= high <= 1
    assert low < high


@cache
def interval_of_262(first_only, second_only):
    return score_interval(first_only, second_only, 262, confidence=0.95)


@pytest.mark.parametrize("share_first", [0.5, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("discordant", [0.002, 0.004, 0.008, 0.015])
def test_the_score_interval_covers_where_few_of_262_pairs_differ(discordant, share_first):
    """Summed over every outcome, so the coverage is exact; the bootstrap's was .26 to .86."""
    truth = discordant * (2 * share_first - 1)
    covered = 0.0
    for number in range(20):
        ways = np.arange(number + 1)
        chances = binom.pmf(number, 262, discordant) * binom.pmf(ways, number, share_first)
        for first_only, chance in zip(ways.tolist(), chances.tolist(), strict=True):
            low, high = interval_of_262(first_only, number - first_only)
            covered += chance * (low <= truth <= high)
    assert covered >= 0.93


@given(st.integers(0, 50), st.integers(0, 50))
def test_the_sign_test_is_the_exact_binomial_one(wins, losses):
    expected = binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected)


def test_holm_multiplies_the_smallest_by_their_number_and_keeps_the_order():
    assert holm([0.04, 0.01, 0.03, 0.9]) == pytest.approx([0.09, 0.04, 0.09, 0.9])
    assert holm([0.5, 0.6]) == holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
