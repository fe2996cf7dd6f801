import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.search.rewards import Prover, Rule, best, effective_rewards

BO2 = Prover("bo2", "q", 2)
Q = (0.25, 0.5, 0.75)


def test_the_formula_prover_measures_progress_between_neighbours():
    # 1 - .5^2 = .75 before, 1 - .25^2 = .9375 after
    assert BO2.advantage(Q) == 0.9375 - 0.75


def test_a_bare_problem_has_made_no_progress():
    assert BO2.advantage((0.5,)) == 0.0


def test_effective_rewards_are_q_plus_alpha_times_the_provers_advantage():
    weak = Prover("weak", "q_weak")
    assert effective_rewards(Q, (0.0, 0.5, 0.25), prover=weak, alpha=0.5) == [0.75, 0.625]


@pytest.mark.parametrize(
    ("kind", "rank"),
    [
        ("last", 0.75),
        ("product", 0.375),
        ("effective_last", 0.625),
        ("effective_min", 0.625),
        ("effective_mean", 0.6875),
    ],
)
def test_a_rule_ranks_by_its_aggregate(kind, rank):
    rule = Rule(kind, prover=Prover("weak", "q_weak"), alpha=0.5)
    assert rule.rank({"q": Q, "q_weak": (0.0, 0.5, 0.25)}) == rank


def test_a_rule_says_which_verifiers_it_reads():
    assert Rule("last", "orm_all").verifiers == {"orm_all"}
    assert Rule("effective_last", prover=BO2).verifiers == {"q"}
    assert Rule("effective_last", prover=Prover("weak", "q_weak")).verifiers == {"q", "q_weak"}


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 32))
def test_alpha_zero_leaves_q_bit_for_bit(before, after, k):
    q = (before, after)
    assert effective_rewards(q, q, prover=Prover("bo", "q", k), alpha=0.0) == [after]


def test_the_first_of_equals_is_best():
    assert best([0.1, 0.5, 0.5]) == 1


@given(
    st.integers(0, 64),
    st.integers(0, 64),
    st.integers(0, 64),
    st.integers(1, 32),
    st.floats(0, 4),
)
def test_siblings_keep_their_order_under_every_formula_prover(parent, one, other, k, alpha):
    prover = Prover("bo", "q", k)
    scores = [(parent / 64, child / 64) for child in (one, other)]
    first, second = (effective_rewards(q, q, prover=prover, alpha=alpha)[0] for q in scores)
    assert (first > second) == (one > other)


def test_a_likelier_response_wins_over_a_little_more_score_and_not_over_much_more():
    rule = Rule("last", likelihood=0.2)
    rank = {
        (score, log_prob): rule.rank({"q": (0.3, score)}, log_prob)
        for score, log_prob in [(0.9, -6.0), (0.8, -3.0), (0.2, -1.0), (0.0, 0.0)]
    }
    assert rank[0.9, -6.0] == pytest.approx(math.log(0.9) - 1.2)
    assert sorted(rank, key=rank.__getitem__) == [(0.0, 0.0), (0.2, -1.0), (0.9, -6.0), (0.8, -3.0)]
    assert Rule("last").rank({"q": (0.3, 0.9)}, -6.0) == 0.9
