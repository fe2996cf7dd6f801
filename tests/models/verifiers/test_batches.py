import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.verifiers.batches import EncodedSequence, Sampler, collate, mean_values, rephrase


def sequence(token_ids, ends, targets, weights=None):
    column = np.array(targets, dtype=np.float32)[:, None]
    ones = np.ones_like(column) if weights is None else np.array(weights, np.float32)[:, None]
    return EncodedSequence(tuple(token_ids), tuple(ends), column, ones)


def test_a_batch_pads_on_the_right_and_knows_where_its_labels_are():
    batch = collate(
        [sequence([5, 6, 7], [0, 2], [0.5, 1], weights=[1, 2]), sequence([8], [0], [0.25])],
        [1.0, 0.5], pad_id=9,
    )  # fmt: skip
    assert batch.token_ids_BT.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch.rows_N.tolist() == [0, 0, 1]
    assert batch.columns_N.tolist() == [0, 2, 0]
    assert batch.targets_NH[:, 0].tolist() == [0.5, 1, 0.25]
    assert batch.weights_NH[:, 0].tolist() == [1, 2, 0.5]


def test_mean_values_leave_out_what_has_no_weight():
    rows = [sequence([1, 2], [0, 1], [0.2, 1.0], weights=[3, 1]), sequence([1], [0], [1], [0])]
    assert mean_values(rows).tolist() == pytest.approx([0.4, 0])


def test_a_response_under_another_prompt_keeps_its_steps_and_labels():
    whole = sequence([1, 2, 3, 10, 11, 12], [2, 4, 5], [0.5, 1, 0])
    asked = whole.asked((7, 8, 9, 4))
    assert asked.token_ids == (7, 8, 9, 4, 10, 11, 12)
    assert asked.ends == (3, 5, 6)
    assert asked.targets is whole.targets


def test_rephrasing_draws_every_prompt_evenly_and_leaves_the_rest_alone():
    plain = sequence([1, 10], [0, 1], [0.5, 1])
    asked = EncodedSequence((1, 10), (0, 1), plain.targets, plain.weights, ((2,), (3,)))
    shown = rephrase([plain, *[asked] * 3000], 0.6, np.random.default_rng(0))
    assert shown[0] is plain
    first = [each.token_ids[0] for each in shown[1:]]
    shares = [first.count(prompt) / 3000 for prompt in (1, 2, 3)]
    assert shares == pytest.approx([0.4, 0.3, 0.3], abs=0.03)
    assert {each.token_ids[1:] for each in shown} == {(10,)}
    assert rephrase([asked], 0.0, np.random.default_rng(0)) == [asked]


LENGTHS = np.arange(50) % 7 + 3
VALUES = np.where(np.arange(50) < 10, 0.9, 0.1).astype(np.float32)


def sampler(*, balance=False, batch_size=4, seed=0):
    return Sampler(LENGTHS, VALUES, batch_size, seed, balance)


def numbers(batches):
    return [number for part, _ in batches for number in part.tolist()]


def test_a_pass_meets_every_sequence_once_and_passes_differ():
    each = sampler()
    first, again, second = (numbers(each.epoch(number)) for number in (0, 0, 1))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first == again != second
    assert first != numbers(sampler(seed=1).epoch(0))


def test_a_batch_goes_from_short_to_long():
    for part, _ in sampler(batch_size=16).epoch(0):
        assert (np.diff(LENGTHS[part]) >= 0).all()


def test_balanced_draws_are_half_and_half_and_inverse_weights_undo_it():
    each = sampler(balance=True)
    high = VALUES >= 0.5
    sums, drawn = np.zeros(50), np.zeros(50)
    for number in range(400):
        for part, factors in each.epoch(number):
            np.add.at(sums, part, factors)
            np.add.at(drawn, part, 1)
    assert drawn[high].sum() == pytest.approx(drawn.sum() / 2)
    # In expectation every sequence weighs what it weighs without balancing: once a pass.
    assert sums[high] / 400 == pytest.approx(np.ones(10), abs=0.05)
    assert sums[~high] / 400 == pytest.approx(np.ones(40), abs=0.15)
    assert sums[~high].mean() / 400 == pytest.approx(1, abs=1e-6)


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(0, 3))
def test_batches_hold_about_the_asked_number_of_sequences(batch_size, number):
    each = sampler(batch_size=batch_size)
    batches = each.epoch(number)
    sizes = [part.size for part, _ in batches]
    assert sum(sizes) == 50
    assert len(batches) == each.batches_per_epoch
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("value", [0.1, 0.9])
def test_where_all_values_are_on_one_side_balancing_changes_nothing(value):
    values = np.full(50, value, dtype=np.float32)
    plain, balanced = (Sampler(LENGTHS, values, 4, 0, each).epoch(0) for each in (False, True))
    assert numbers(balanced) == numbers(plain)
    assert all((factors == 1).all() for _, factors in balanced)
