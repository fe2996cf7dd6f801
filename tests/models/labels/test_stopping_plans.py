from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.labels import estimators
from pav.models.labels.stopping_plans import StoppingPlan, fixed_plan

# Four rollouts; stop if none or all are right, else sixteen more.
FOUR_OR_TWENTY = StoppingPlan((4, 16), frozenset({(1, 4), (2, 4), (3, 4)}))


@st.composite
def plans(draw):
    """Return a plan of one to four small blocks, open in any states."""
    blocks = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    states = [(c, n) for n in np.cumsum(blocks).tolist() for c in range(n + 1)]
    return StoppingPlan(blocks, frozenset(draw(st.sets(st.sampled_from(states)))))


def expectation(plan, q, estimate):
    """Return the mean of an estimate over all ends of a plan."""
    chances = plan.terminal_chances(q).tolist()
    ends = zip(chances, plan.terminal_states, strict=True)
    return sum(chance * estimate(*state) for chance, state in ends)


def test_four_rollouts_and_sixteen_more_end_where_the_example_says():
    early = [state for state in FOUR_OR_TWENTY.terminal_states if state[1] == 4]
    assert early == [(0, 4), (4, 4)]
    # One to three of the first four, none to sixteen of the others.
    late = [state for state in FOUR_OR_TWENTY.terminal_states if state[1] == 20]
    assert late == [(c, 20) for c in range(1, 20)]


def test_at_one_half_the_chance_of_stopping_after_four_is_two_in_sixteen():
    chances = dict(zip(FOUR_OR_TWENTY.terminal_states,
                       FOUR_OR_TWENTY.terminal_chances(0.5).tolist(), strict=True))  # fmt: skip
    assert chances[0, 4] + chances[4, 4] == pytest.approx(2 / 16)


@pytest.mark.parametrize(
    ("q", "mean", "fixed_bo4", "plug_in_bo4", "bo4"),
    [(0.05, 0.017, 0.063, 0.059, 0.186), (0.2, 0.135, 0.384, 0.366, 0.590)],
)
def test_counts_stopped_at_none_or_all_of_four_are_biased(q, mean, fixed_bo4, plug_in_bo4, bo4):
    means = [
        expectation(FOUR_OR_TWENTY, q, lambda c, n: c / n),
        expectation(FOUR_OR_TWENTY, q, lambda c, n: estimators.best_of(c, n, 4)),
        expectation(FOUR_OR_TWENTY, q, lambda c, n: 1 - (1 - c / n) ** 4),
        1 - (1 - q) ** 4,
    ]
    assert means == pytest.approx([mean, fixed_bo4, plug_in_bo4, bo4], abs=6e-4)


@given(plans(), st.floats(0, 1), st.integers(1, 6))
def test_the_estimate_made_for_a_plan_is_unbiased(plan, q, k):
    estimates = [plan.best_of(*state, k) for state in plan.terminal_states]
    if k > plan.most_wrong:
        assert set(estimates) == {None}
    else:
        found = float(plan.terminal_chances(q) @ estimates)
        assert found == pytest.approx(1 - (1 - q) ** k, abs=1e-12)


@given(plans(), st.floats(0, 1))
def test_a_plan_ends_somewhere(plan, q):
    assert plan.terminal_chances(q).sum() == pytest.approx(1, abs=1e-12)


@given(st.integers(0, 12), st.integers(1, 12))
def test_for_a_fixed_number_the_estimate_is_the_known_one(correct, k):
    found = fixed_plan(12).best_of(correct, 12, k)
    assert found == pytest.approx(estimators.best_of(correct, 12, k), abs=1e-12)


@given(st.floats(0, 1))
def test_the_first_block_alone_is_unbiased_whatever_stops_the_rest(q):
    # c1 of the first four decides where the plan goes, but not how often each c1 comes.
    chances = [comb(4, c) * q**c * (1 - q) ** (4 - c) for c in range(5)]
    found = sum(chance * estimators.best_of(c, 4, 4) for c, chance in enumerate(chances))
    assert found == pytest.approx(1 - (1 - q) ** 4, abs=1e-12)


def test_one_of_twenty_counts_as_one_right_in_the_first_four():
    # (1, 20) is reached only with its right one among the first four: C(4, 1) orders. Of these
    # the first rollout is wrong in three, so the estimate of Q is 1/4, not 1/20.
    assert FOUR_OR_TWENTY.best_of(1, 20, 1) == 0.25
    assert FOUR_OR_TWENTY.best_of(1, 20, 4) == 1.0


def test_what_the_plan_may_not_see_has_no_estimate():
    assert FOUR_OR_TWENTY.best_of(3, 20, 5) is None


def test_more_tries_than_the_first_block_are_estimated_where_a_wrong_one_never_stops_the_plan():
    # Stop at 2/2 only, else two more. Three wrong ones first: in no order that ends at (2, 2), and
    # in one, 0001, of the four that end at (1, 4).
    plan = StoppingPlan((2, 2), frozenset({(0, 2), (1, 2)}))
    assert plan.best_of(2, 2, 3) == 1.0
    assert plan.best_of(1, 4, 3) == 0.75
    assert plan.best_of(0, 4, 3) == 0.0


def test_counts_that_end_no_plan_are_refused():
    with pytest.raises(InputError, match=r"stopping rule ends, got 2 of 4"):
        FOUR_OR_TWENTY.best_of(2, 4, 1)


def test_best_of_zero_is_refused():
    with pytest.raises(InputError, match="k >= 1"):
        FOUR_OR_TWENTY.best_of(0, 4, 0)
