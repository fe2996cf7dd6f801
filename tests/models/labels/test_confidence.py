from math import acos, comb, cos, lgamma, log, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.labels import confidence
from pav.models.labels.stopping_plans import StoppingPlan

KINDS = (confidence.wilson_interval, confidence.jeffreys_interval,
         confidence.clopper_pearson_interval, confidence.sequence_interval)  # fmt: skip
counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def interval(kind, correct, rollouts, level=0.95):
    low, high = kind(correct, rollouts, confidence=level)
    return float(low), float(high)


@pytest.mark.parametrize("kind", KINDS)
def test_without_rollouts_an_interval_says_nothing(kind):
    assert interval(kind, 0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("kind", KINDS)
@given(counts, st.sampled_from([0.5, 0.9, 0.99]))
def test_an_interval_holds_the_share_and_mirrors_that_of_the_wrong_ones(kind, count, level):
    correct, rollouts = count
    low, high = interval(kind, correct, rollouts, level)
    assert 0 <= low <= correct / rollouts + 1e-12
    assert correct / rollouts - 1e-12 <= high <= 1
    mirrored = interval(kind, rollouts - correct, rollouts, level)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_counts_give_what_each_count_gives(kind):
    low, high = kind(np.array([0, 3, 8]), 8, confidence=0.9)
    each = [interval(kind, c, 8, 0.9) for c in (0, 3, 8)]
    assert np.transpose((low, high)) == pytest.approx(np.array(each))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("correct", "rollouts"), [(-1, 2), (3, 2), ([1, 3], [2, 2])])
def test_counts_that_cannot_be_are_refused(kind, correct, rollouts):
    with pytest.raises(InputError, match="0 <= num_correct <= num_rollouts"):
        kind(correct, rollouts, confidence=0.9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_confidence_of_nothing_or_all_is_refused(kind, level):
    with pytest.raises(InputError, match="confidence"):
        kind(1, 2, confidence=level)


def test_wilson_interval_of_ten_out_of_ten_is_the_textbook_one():
    low, high = interval(confidence.wilson_interval, 10, 10)
    assert (low, high) == (pytest.approx(0.7225, abs=1e-4), 1.0)


def test_wilson_interval_of_two_of_eight_is_the_hand_computed_one():
    found = interval(confidence.wilson_interval, 2, 8)
    assert found == pytest.approx((0.0715, 0.5907), abs=1e-4)


def test_jeffreys_interval_of_one_of_two_cuts_half_an_error_from_each_side_of_the_semicircle():
    # Beta(3/2, 3/2) is the semicircle law: with p = (1 - cos t) / 2 its share below p is
    # (t - sin t cos t) / pi.
    low, high = interval(confidence.jeffreys_interval, 1, 2)
    below = [acos(1 - 2 * p) - sin(acos(1 - 2 * p)) * cos(acos(1 - 2 * p)) for p in (low, high)]
    assert [each / pi for each in below] == pytest.approx([0.025, 0.975])


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_at_the_low_end_of_clopper_pearson_so_many_right_ones_have_half_the_error(count):
    correct, rollouts = count
    low, _ = interval(confidence.clopper_pearson_interval, correct, rollouts)
    chances = [comb(rollouts, c) * low**c * (1 - low) ** (rollouts - c)
               for c in range(correct, rollouts + 1)]  # fmt: skip
    assert sum(chances) == pytest.approx(0.025)


def test_the_sequence_after_none_of_eight_ends_where_the_hand_computed_bound_is():
    # B(1/2, 8 + 1/2) / B(1/2, 1/2) = C(16, 8) / 4^8 = 12870 / 65536, and M(p) = that / (1 - p)^8.
    low, high = interval(confidence.sequence_interval, 0, 8)
    assert (low, high) == (0.0, pytest.approx(1 - (0.05 * 12870 / 65536) ** (1 / 8)))


@given(counts)
def test_at_the_ends_of_the_sequence_the_mixture_is_twenty_times_as_likely(count):
    correct, rollouts = count
    wrong = rollouts - correct
    mixture = lgamma(correct + 0.5) + lgamma(wrong + 0.5) - lgamma(rollouts + 1) - log(pi)
    for end in interval(confidence.sequence_interval, correct, rollouts):
        if 0 < end < 1:
            likelihood = correct * log(end) + wrong * log(1 - end)
            assert mixture - likelihood == pytest.approx(log(20), abs=1e-6)


def chance_of_ever_missing(kind, q, num_looks):
    """Return, exactly, how often some interval after 1 … num_looks rollouts misses q."""
    inside = set()
    for n in range(1, num_looks + 1):
        low, high = kind(np.arange(n + 1), n, confidence=0.95)
        inside |= {(c, n) for c in range(n + 1) if low[c] <= q <= high[c]}
    plan = StoppingPlan((1,) * num_looks, frozenset(inside))
    missed = [state not in inside for state in plan.terminal_states]
    return float(plan.terminal_chances(q) @ missed)


@pytest.mark.parametrize("q", [0.02, 0.1, 0.5, 0.9])
def test_looking_after_each_of_sixty_rollouts_the_sequence_misses_one_time_in_twenty_at_most(q):
    assert chance_of_ever_missing(confidence.sequence_interval, q, 60) <= 0.05


def test_looking_after_each_of_sixty_rollouts_a_wilson_interval_misses_one_time_in_four():
    assert chance_of_ever_missing(confidence.wilson_interval, 0.5, 60) > 0.25
