import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.labels.sampling_measure import Completion
from pav.models.verifiers.data import (
    Tally,
    outcome_sequences,
    own_tallies,
    passing_tallies,
    target_sequences,
    value_sequences,
)

# A toy: from the bare problem one seed "a b c" (right); rollouts of "", "a" and "a b".
SEED = Completion("p", ("a\n", "b\n", "c"), True, 0, 1, 1)
ROLLOUTS = [
    Completion("p", ("a\n", "d\n", "e"), True, 0, 2, 0),
    Completion("p", ("a\n", "b\n", "c"), True, 1, 3, 3),
    Completion("p", ("a\n", "b\n", "f"), True, 1, 1, 0),
    Completion("p", ("a\n", "b\n", "c"), True, 2, 2, 2),
    Completion("p", ("a\n", "b\n", "g"), True, 2, 2, 0),
]


def counts(tallies):
    return {key: (each.num_correct, each.num_rollouts) for key, each in tallies.items()}


def unit_weights(completions):
    return [(each, 1.0) for each in completions]


def by_text(sequences):
    return {each.prefix.text: each for each in sequences}


def test_own_tallies_are_those_of_the_samples_that_started_there():
    assert counts(own_tallies(unit_weights(ROLLOUTS))) == {
        ("p", ""): (0, 2), ("p", "a\n"): (3, 4), ("p", "a\nb\n"): (2, 4),
    }  # fmt: skip


def test_passing_tallies_add_every_later_prefix_that_a_sample_passes():
    assert counts(passing_tallies(unit_weights([SEED, *ROLLOUTS]))) == {
        # The seed and two rollouts.
        ("p", ""): (1, 3),
        # Those, and four of its own.
        ("p", "a\n"): (4, 7),
        # The seed, four from "a", four of its own.
        ("p", "a\nb\n"): (6, 9),
        ("p", "a\nd\n"): (0, 2),
    }


def test_a_tally_sums_weights_beside_counts():
    assert Tally(1, 2, 0.5, 1.0).with_samples(ROLLOUTS[1], 2.0) == Tally(4, 5, 6.5, 7.0)


def test_a_prefix_has_one_weight_that_the_responses_through_it_share():
    found = by_text(value_sequences([SEED], ROLLOUTS, own=[SEED], passing=True))
    assert set(found) == {"a\nb\nc", "a\nd\ne", "a\nb\nf", "a\nb\ng"}
    # Drawn for the one solution: 3 samples at the bare problem, 4 more at one step, 4 more at two.
    # Through "a b" pass 9 of the 11 samples there, shared by three responses.
    shared = (3 / (3 * 4), 7 / (7 * 4), 9 / (11 * 3))
    assert found["a\nb\nc"].weights == pytest.approx((*shared, 6 / 11))
    assert found["a\nb\nf"].weights == pytest.approx((*shared, 1 / 11))
    assert found["a\nd\ne"].weights == pytest.approx((*shared[:2], 2 / 11, 2 / 11))
    for end in range(4):
        assert sum(each.weights[end] for each in found.values()) == pytest.approx(1)
    tallies = found["a\nb\nc"].tallies
    assert [(each.num_correct, each.num_rollouts) for each in tallies] == [
        (1, 3), (4, 7), (6, 9), (6, 6),
    ]  # fmt: skip


def test_without_passing_rollouts_label_their_own_start_and_are_no_responses():
    [found] = value_sequences([SEED], ROLLOUTS[:3], own=[SEED], passing=False)
    assert found.prefix.text == "a\nb\nc"
    # Two rollouts at the bare problem, four at "a", none at "a b"; one end.
    assert found.weights == pytest.approx((1, 1, 0, 1))
    [target] = target_sequences([[found]])
    assert target.targets[:, 0].tolist() == [0, 0.75, 0, 1]


def test_a_rollout_weighs_the_solutions_through_its_start():
    two = [
        Completion("p", ("a\n", "x"), True, 0, 3, 0),
        Completion("p", ("b\n", "y"), True, 0, 1, 1),
    ]
    rollouts = [
        Completion("p", ("a\n", "x"), True, 1, 2, 0), Completion("p", ("b\n", "y"), True, 1, 2, 2),
    ]  # fmt: skip
    found = by_text(value_sequences(two, rollouts, own=two, passing=False))
    # Three of four solutions pass "a"; their rollouts weigh 1.5 where those of "b" weigh 0.5.
    assert found["a\nx"].weights == pytest.approx((0, 3, 3))
    assert found["b\ny"].weights == pytest.approx((0, 1, 1))
    found = by_text(value_sequences(two, rollouts, own=two, passing=True))
    # 4 solutions and 4 rollouts of mean weight 1: two for each solution.
    assert found["a\nx"].weights == pytest.approx((2, (3 + 3) / 2, (3 + 3) / 2))
    assert found["b\ny"].weights == pytest.approx((2, (1 + 1) / 2, (1 + 1) / 2))


def test_solutions_of_others_are_responses_and_no_samples_of_the_policy():
    other = Completion("p", ("a\n", "z"), True, 0, 1, 0)
    rollouts = [Completion("p", ("a\n", "x"), True, 1, 2, 1)]
    found = by_text(value_sequences([SEED, other], rollouts, own=[SEED], passing=True))
    tally = found["a\nz"].tallies[1]
    assert (tally.num_correct, tally.num_rollouts) == (2, 3)
    # Half a solution of its own and one rollout for each solution.
    assert found["a\nz"].weights[1] == pytest.approx(3 / (1.5 * 3))
    assert found["a\nz"].weights[0] == pytest.approx(1 / (0.5 * 3))


def test_outcome_sequences_have_one_target_at_the_end_and_weigh_what_is_given_often():
    found = by_text(outcome_sequences([SEED], ROLLOUTS))
    assert {text: each.weights for text, each in found.items()} == {
        "a\nb\nc": (0, 0, 0, pytest.approx(6 / 11)), "a\nd\ne": (0, 0, 0, pytest.approx(2 / 11)),
        "a\nb\nf": (0, 0, 0, pytest.approx(1 / 11)), "a\nb\ng": (0, 0, 0, pytest.approx(2 / 11)),
    }  # fmt: skip
    targets = {each.prefix.text: each.targets[-1, 0] for each in target_sequences([found.values()])}
    assert targets == {"a\nb\nc": 1, "a\nd\ne": 0, "a\nb\nf": 0, "a\nb\ng": 0}


def test_an_end_weighs_what_is_drawn_before_its_last_step():
    short = Completion("p", ("a\n", "x"), True, 0, 1, 1)
    found = by_text(outcome_sequences([SEED, short], ROLLOUTS))
    # Two solutions and two rollouts from no step, four from one, four from two steps: of the
    # rollouts from "a", which both solutions pass, each weighs 1.
    assert found["a\nx"].weights[-1] == pytest.approx(1 / (1 + 2 / 2 + 4 / 2))
    assert found["a\nb\ng"].weights[-1] == pytest.approx(2 / (1 + 2 / 2 + 4 / 2 + 4))


def test_right_answers_of_few_forms_count_as_often_as_they_are_given():
    # Q = .5: of 100 solutions 50 give one right answer, 50 a wrong answer each of its own.
    right = Completion("p", ("a\n", "right"), True, 0, 50, 50)
    wrong = [Completion("p", ("a\n", f"wrong {n}"), True, 0, 1, 0) for n in range(50)]
    sequences = target_sequences([outcome_sequences([right, *wrong], [])])
    weights = np.array([each.weights[-1, 0] for each in sequences])
    targets = np.array([each.targets[-1, 0] for each in sequences])
    assert weights @ targets / weights.sum() == pytest.approx(0.5)


def test_best_of_k_targets_are_unbiased_and_need_k_rollouts():
    sequences = value_sequences([SEED], ROLLOUTS, own=[], passing=True)
    found = {each.prefix.text: each for each in target_sequences([sequences] * 2, best_of_k=(2, 4))}
    each = found["a\nb\nc"]
    # c = 0, 3, 5 of n = 2, 6, 8: 1 - C(n - c, K) / C(n, K).
    assert each.targets[:, 0] == pytest.approx([0, 1 - 3 / 15, 1 - 3 / 28, 1])
    assert (each.weights[:, 0] > 0).all()
    assert each.targets[1:, 1] == pytest.approx([1, 1, 1])
    assert (each.weights[:, 1] > 0).tolist() == [False, True, True, True]
    # An end is its verdict, however few samples gave it.
    assert (found["a\nd\ne"].targets[-1, 1], found["a\nd\ne"].weights[-1, 1] > 0) == (0, True)


def test_heads_of_one_network_keep_their_own_labels_and_weights():
    seed, rollouts = [SEED], [Completion("p", ("a\n", "d\n", "e"), True, 1, 4, 1)]
    one = value_sequences(seed, ROLLOUTS[:1], own=[], passing=False)
    other = value_sequences(seed, rollouts, own=[], passing=True)
    found = {each.prefix.text: each for each in target_sequences([one, other], best_of_k=(1, 1))}
    assert found["a\nb\nc"].targets[:, 1] == pytest.approx([0, 0.25, 0, 1])
    assert (found["a\nb\nc"].weights > 0).tolist() == [
        [True, False], [False, True], [False, False], [True, True],
    ]  # fmt: skip
    assert (found["a\nd\ne"].weights > 0).tolist() == [[False, False], [False, True]] + [
        [False, True]
    ] * 2


def test_an_empty_response_is_labelled_at_its_only_end():
    empty = Completion("p", (), True, 0, 2, 0)
    [found] = value_sequences([empty], [], own=[empty], passing=True)
    assert found.tallies == (Tally(0, 2, 0.0, 2.0),)
    assert found.weights == (2.0,)


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(["a\n", "b\n"]), max_size=3), st.integers(0, 3), st.booleans()
        ),
        min_size=1,
    )
)
def test_the_trie_counts_every_sample_once_at_each_prefix_it_passes(samples):
    completions = [
        Completion("p", (*steps, "end"), True, min(start, len(steps)), 1, int(is_correct))
        for steps, start, is_correct in samples
    ]
    found = counts(passing_tallies(unit_weights(completions)))
    for (_, text), (correct, total) in found.items():
        passing = [
            each
            for each in completions
            if any("".join(each.steps[:cut]) == text for cut in range(each.start, len(each.steps)))
        ]
        assert (correct, total) == (sum(each.num_correct for each in passing), len(passing))
