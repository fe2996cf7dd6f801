import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.records import Prefix
from pav.models.verifier_data import (
    Completion,
    outcome_sequences,
    own_counts,
    passing_counts,
    restrict,
    rollout_completions,
    solution_completions,
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


def test_own_counts_are_those_of_the_samples_that_started_there():
    assert own_counts(ROLLOUTS) == {
        ("p", ""): (0, 2), ("p", "a\n"): (3, 4), ("p", "a\nb\n"): (2, 4),
    }  # fmt: skip


def test_passing_counts_add_every_later_prefix_that_a_sample_passes():
    assert passing_counts([SEED, *ROLLOUTS]) == {
        # The seed and two rollouts.
        ("p", ""): (1, 3),
        # Those, and four of its own.
        ("p", "a\n"): (4, 7),
        # The seed, four from "a", four of its own.
        ("p", "a\nb\n"): (6, 9),
        ("p", "a\nd\n"): (0, 2),
    }


def test_a_distinct_response_is_labelled_at_every_step_end_and_its_end_is_its_verdict():
    counts = passing_counts([SEED, *ROLLOUTS])
    found = {each.prefix.text: each for each in value_sequences([SEED, *ROLLOUTS], counts)}
    assert set(found) == {"a\nb\nc", "a\nd\ne", "a\nb\nf", "a\nb\ng"}
    seed = found["a\nb\nc"]
    assert seed.num_correct == (1, 4, 6, 1)
    assert seed.num_rollouts == (3, 7, 9, 1)
    assert seed.weights == (1, 1, 1, 1)
    assert found["a\nb\ng"].num_correct == (1, 4, 6, 0)
    assert found["a\nb\ng"].weights == (1, 1, 1, 1)


def test_outcome_sequences_have_one_target_at_the_end_of_each_distinct_response():
    found = outcome_sequences([SEED, *ROLLOUTS])
    assert len(found) == 4
    assert all(each.weights == (0, 0, 0, 1) for each in found)
    assert sorted(each.num_correct[-1] for each in found) == [0, 0, 0, 1]


def test_a_step_end_without_labels_has_no_weight():
    [sequence] = value_sequences([SEED], own_counts(ROLLOUTS[:1]))
    assert sequence.weights == (1, 0, 0, 1)


def test_best_of_k_targets_are_unbiased_and_need_k_rollouts():
    sequences = value_sequences([SEED], passing_counts(ROLLOUTS))
    [found] = target_sequences([sequences, sequences], best_of_k=(2, 4))
    # c = 0, 3, 5 of n = 2, 6, 8: 1 - C(n - c, K) / C(n, K).
    assert found.targets[:, 0] == pytest.approx([0, 1 - 3 / 15, 1 - 3 / 28, 1])
    assert found.weights[:, 0].tolist() == [1, 1, 1, 1]
    assert found.targets[1:, 1] == pytest.approx([1, 1, 1])
    assert found.weights[:, 1].tolist() == [0, 1, 1, 1]


def test_heads_of_one_network_keep_their_own_labels_and_weights():
    one = value_sequences([SEED], {("p", ""): (1, 2)})
    other = value_sequences(ROLLOUTS[:1], {("p", "a\n"): (1, 4)})
    found = {each.prefix.text: each for each in target_sequences([one, other], best_of_k=(1, 1))}
    assert found["a\nb\nc"].targets[0].tolist() == [0.5, 0]
    assert found["a\nb\nc"].weights.tolist() == [[1, 0], [0, 0], [0, 0], [1, 0]]
    assert found["a\nd\ne"].weights.tolist() == [[0, 0], [0, 1], [0, 0], [0, 1]]


def test_an_empty_response_is_labelled_at_its_only_end():
    [found] = value_sequences([Completion("p", (), True, 0, 2, 0)], {("p", ""): (5, 8)})
    assert (found.num_correct, found.num_rollouts, found.weights) == ((0,), (1,), (1.0,))


def test_tables_give_distinct_completions_without_the_failed_ones():
    prefixes = pl.DataFrame({"prefix_id": ["x"], "problem_id": ["p"], "steps": [["a\n"]]})
    rollouts = pl.DataFrame({
        "prefix_id": ["x"] * 5, "policy_id": ["m", "m", "m", "m", "other"],
        "steps": [["b"], ["b"], ["c\n", "d"], ["b"], ["b"]],
        "verdict": ["correct", "correct", "truncated", "failed", "correct"],
        "finish_reason": ["stop", "stop", "length", "stop", "stop"],
    })  # fmt: skip
    assert rollout_completions(rollouts, prefixes, policy_id="m") == [
        Completion("p", ("a\n", "b"), True, 1, 2, 2),
        Completion("p", ("a\n", "c\n", "d"), False, 1, 1, 0),
    ]
    solutions = pl.DataFrame({
        "problem_id": ["p", "q"], "steps": [["b"], ["b"]], "verdict": ["wrong", "correct"],
        "finish_reason": ["stop", "stop"],
    })  # fmt: skip
    found = solution_completions(solutions)
    assert found == [Completion("p", ("b",), True, 0, 1, 0), Completion("q", ("b",), True, 0, 1, 1)]
    assert [each.problem_id for each in restrict(found, {"q"})] == ["q"]


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
    counts = passing_counts(completions)
    for (_, text), (correct, total) in counts.items():
        passing = [
            each
            for each in completions
            if any("".join(each.steps[:cut]) == text for cut in range(each.start, len(each.steps)))
        ]
        assert (correct, total) == (sum(each.num_correct for each in passing), len(passing))
    assert Prefix("p") not in counts
