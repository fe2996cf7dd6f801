import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.labels.confidence import sequence_interval
from pav.models.labels.sequential import SequentialRule

RULE = SequentialRule(block=8, width=0.3, threshold=0.5, confidence=0.95, most=64)
NAME = "sequential block=8 width=0.3 threshold=0.5 confidence=0.95 most=64"


def changed(**parts):
    whole = {"block": 8, "width": 0.3, "threshold": 0.5, "confidence": 0.95, "most": 64}
    return SequentialRule(**(whole | parts))


def test_the_name_of_a_rule_is_the_text_that_labels_store():
    assert RULE.name == NAME


shares = st.integers(1, 999_999).map(lambda number: number / 1_000_000)


@given(st.integers(1, 64), shares, shares, shares, st.integers(1, 1024), st.booleans())
def test_a_name_reads_back_as_the_rule(block, width, threshold, confidence, most, until_right):
    rule = SequentialRule(block, width, threshold, confidence, most, until_right)
    assert SequentialRule.parse(rule.name) == rule


@pytest.mark.parametrize("name", ["fixed", NAME + " ", NAME.replace("0.3", "0.3.1"),
                                  NAME.replace("0.95", "1")])  # fmt: skip
def test_a_text_that_names_no_rule_is_refused(name):
    with pytest.raises(InputError, match="stopping rule"):
        SequentialRule.parse(name)


@pytest.mark.parametrize("parts", [
    {"block": 0}, {"most": 0}, {"width": 1.0}, {"width": -0.1}, {"threshold": 1.0},
    {"confidence": 0.0}, {"confidence": 1.0}, {"width": 0.0, "threshold": 0.0},
    {"width": 0.1234567},
])  # fmt: skip
def test_what_is_no_rule_is_refused(parts):
    with pytest.raises(InputError, match="sequential rule"):
        changed(**parts)


def test_none_right_of_eight_is_below_one_half_and_stops():
    # The interval of 0/8 is (0, .439); that of 1/8 is (.0007, .625).
    assert not RULE.goes_on(0, 8)
    assert RULE.goes_on(1, 8)


def test_without_a_threshold_none_right_of_eight_goes_on_until_the_interval_is_narrow():
    # 0/8 ends at .439; 0/16 at 1 - (.05 C(32, 16) / 4^16)^(1/16) = .267.
    rule = changed(threshold=0.0)
    assert rule.goes_on(0, 8)
    assert not rule.goes_on(0, 16)


def test_without_a_width_a_prefix_near_the_threshold_gets_all_it_may():
    rule = changed(width=0.0)
    assert rule.goes_on(28, 56)
    assert not rule.goes_on(32, 64)


def test_a_right_rollout_settles_that_the_value_is_above_zero():
    rule = changed(width=0.0, threshold=0.1, until_right=True)
    assert not rule.goes_on(1, 8)
    # 0/8 reaches up to .439, so that 0 is not told from .1 yet.
    assert rule.goes_on(0, 8)
    assert not changed(width=0.0, threshold=0.0, until_right=True).goes_on(1, 8)


def test_a_rule_starts_and_ends():
    assert RULE.goes_on(0, 0)
    assert not RULE.goes_on(40, 80)


def test_most_is_rounded_up_to_whole_blocks():
    rule = changed(most=60)
    assert rule.goes_on(30, 60)
    assert max(n for _, n in rule.plan.terminal_states) == 64


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="got 9 of 8"):
        RULE.goes_on(9, 8)


def test_an_end_is_a_state_where_the_rule_does_not_go_on():
    assert all(not RULE.goes_on(*state) for state in RULE.plan.terminal_states)
    assert all(RULE.goes_on(*state) for state in RULE.plan.open_states)


def chances_of_ends(rule, q):
    """Return the chance of each (c, n) in which a rule ends, for a prefix of value q."""
    return dict(zip(rule.plan.terminal_states, rule.plan.terminal_chances(q).tolist(), strict=True))


@pytest.mark.parametrize("rule", [RULE, changed(width=0.0), changed(threshold=0.0),
                                  changed(width=0.0, threshold=0.1, until_right=True)])  # fmt: skip
@pytest.mark.parametrize("q", [0.0, 0.03, 0.2, 0.5, 0.77, 1.0])
def test_the_estimates_of_a_rule_are_unbiased(rule, q):
    ends = chances_of_ends(rule, q)
    for k in (1, 4, 8):
        found = sum(chance * rule.best_of(*state, k) for state, chance in ends.items())
        assert found == pytest.approx(1 - (1 - q) ** k, abs=1e-12)


def test_best_of_sixteen_needs_a_rule_that_does_not_stop_at_eight_wrong_ones():
    assert RULE.best_of(8, 8, 16) is None
    assert changed(threshold=0.0).best_of(0, 16, 16) == 0.0


@pytest.mark.parametrize("q", [0.05, 0.3, 0.5])
def test_the_interval_at_the_end_of_a_rule_keeps_its_confidence(q):
    ends = chances_of_ends(RULE, q)
    low, high = sequence_interval(*np.array(list(ends)).T, confidence=0.95)
    assert np.array(list(ends.values())) @ ((low <= q) & (q <= high)) >= 0.95


def test_counts_where_the_rule_goes_on_have_no_estimate():
    with pytest.raises(InputError, match="got 4 of 8"):
        RULE.best_of(4, 8, 1)
