import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.search.rewards import Finished, Prover, Rule, best, effective_rewards

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
def test_a_rule_scores_by_its_aggregate(kind, rank):
    rule = Rule(kind, prover=Prover("weak", "q_weak"), alpha=0.5)
    assert rule.score({"q": Q, "q_weak": (0.0, 0.5, 0.25)}) == rank


def test_the_last_effective_reward_is_that_of_the_last_of_many_steps():
    q = (0.25, 0.5, 0.75, 0.375, 0.625)
    assert Rule("effective_last", alpha=1.0).score({"q": q}) == 0.625 + (0.625 - 0.375)


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


def finished(score, log_prob=0.0, num_tokens=1, answer=None):
    return Finished({"q": (0.3, score)}, log_prob, num_tokens, answer)


def test_a_likelier_response_wins_over_a_little_more_score_and_not_over_much_more():
    rule = Rule("last", likelihood=0.2)
    good, likely, bad = finished(0.9, -6.0), finished(0.8, -3.0), finished(0.2, -1.0)
    # log .9 - 1.2 = -1.31, log .8 - .6 = -.82, log .2 - .2 = -1.81
    assert rule.pick([good, bad]) == rule.pick([bad, likely]) - 1 == 0
    assert rule.pick([good, likely, bad, finished(0.0)]) == 1
    assert Rule("last").pick([good, likely, bad]) == 0


def test_a_long_right_response_beats_a_short_wrong_one_where_lengths_differ():
    # -.3 nats a token each: the sum alone would take the shorter one, right or wrong
    right, wrong = finished(0.98, -60.0, 200), finished(0.01, -30.0, 100)
    assert Rule("last", likelihood=0.2).pick([right, wrong]) == 1
    assert Rule("last", likelihood=0.2, per_token=True).pick([right, wrong]) == 0


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.floats(-30, 0)), min_size=1),
    st.integers(1, 200),
    st.floats(0.01, 3),
)
def test_at_one_length_a_likelihood_per_token_picks_as_the_likelihood(pairs, length, weight):
    responses = [finished(score, log_prob, length) for score, log_prob in pairs]
    picks = {
        per_token: Rule("last", likelihood=weight, per_token=per_token).pick(responses)
        for per_token in (False, True)
    }
    ranks = [math.log(score) + weight * log_prob for score, log_prob in pairs]
    # Rounding may decide between equals.
    assert ranks[picks[True]] == pytest.approx(ranks[picks[False]], abs=1e-9)


def test_the_best_response_of_the_answer_with_most_votes_is_taken():
    responses = [
        finished(0.9, answer="a"), finished(0.4, answer="b"), finished(0.6, answer="b"),
        finished(0.95), finished(0.3, answer="c"),
    ]  # fmt: skip
    assert Rule("first", is_vote=True).pick(responses) == 1
    assert Rule("last", is_vote=True).pick(responses) == 2


def test_responses_without_an_answer_win_only_where_nothing_else_is_left():
    nothing = [finished(0.9), finished(0.9)]
    assert Rule("first", is_vote=True).pick([*nothing, finished(0.1, answer="a")]) == 2
    assert Rule("first", is_vote=True).pick(nothing) == 0
