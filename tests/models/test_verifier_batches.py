import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForTokenClassification

from pav.models.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings
from pav.models.verifier_batches import (
    EncodedSequence,
    Sampler,
    build_tree,
    collate,
    collate_trees,
    mean_values,
    neighbour_order,
    pack,
    pack_cuts,
)
from pav.models.verifier_training import forward_logits


def sequence(segments, targets, weights=None):
    column = np.array(targets, dtype=np.float32)[:, None]
    ones = np.ones_like(column) if weights is None else np.array(weights, np.float32)[:, None]
    return EncodedSequence(tuple(map(tuple, segments)), column, ones)


ONE = sequence([(5, 6), (7,), (8, 9)], [0.5, 0.25, 1.0])
TWO = sequence([(5, 6), (7,), (3,)], [0.5, 0.25, 0.0], weights=[0, 1, 1])
THREE = sequence([(5, 6), (4, 4, 4)], [0.5, 0.0], weights=[1, 2])


def test_shared_segments_are_held_once_with_their_weights_added_up():
    packed = pack([ONE, TWO, THREE])
    assert [node.segment for node in packed.tree.nodes] == [(5, 6), (7,), (8, 9), (3,), (4, 4, 4)]
    assert packed.tree.paths == ((0, 1, 2), (0, 1, 3), (0, 4))
    assert packed.weights[:, 0].tolist() == [2, 2, 1, 1, 2]
    assert packed.targets[:, 0].tolist() == [0.5, 0.25, 1, 0, 0]
    assert [node.position for node in packed.tree.nodes] == [0, 2, 3, 3, 2]
    assert packed.tree.num_tokens == 9


def test_a_token_sees_its_own_ancestors_and_nothing_else():
    trees = collate_trees([build_tree([ONE.segments, TWO.segments])], pad_id=0)
    assert trees.token_ids_BT.tolist() == [[5, 6, 7, 8, 9, 3]]
    assert trees.can_see_B1TT[0, 0].astype(int).tolist() == [
        [1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 1],
    ]  # fmt: skip
    assert trees.columns_N.tolist() == [1, 2, 4, 5]


@pytest.fixture(scope="module")
def model():
    sizes = PrepareSettings(num_layers=2, hidden_size=32, intermediate_size=48, num_heads=2)
    config = build_config(sizes, build_tokenizer())
    config.num_labels = 1
    torch.manual_seed(0)
    return AutoModelForTokenClassification.from_config(config, attn_implementation="eager").eval()


def test_logits_of_a_packed_tree_are_those_of_the_separate_sequences(model):
    trees = [build_tree([ONE.segments, TWO.segments]), build_tree([THREE.segments])]
    with torch.inference_mode():
        packed = forward_logits(model, collate_trees(trees, pad_id=0), half=False)
        for each, nodes in ((ONE, [0, 1, 2]), (TWO, [0, 1, 3]), (THREE, [4, 5])):
            ids = [token for segment in each.segments for token in segment]
            ends = np.cumsum([len(segment) for segment in each.segments]) - 1
            alone = model(input_ids=torch.tensor([ids])).logits[0, ends]
            assert torch.allclose(packed[nodes], alone, atol=1e-6)


def test_the_loss_of_a_pack_is_that_of_its_sequences(model):
    from pav.models.losses import soft_cross_entropy

    def loss(packs):
        batch = collate(packs, pad_id=0)
        logits = forward_logits(model, batch.trees, half=False)
        targets, weights = torch.from_numpy(batch.targets_NH), torch.from_numpy(batch.weights_NH)
        return float(soft_cross_entropy(logits, targets, weights, normaliser=1.0).detach())

    together = loss([pack([ONE, TWO, THREE])])
    assert together == pytest.approx(loss([pack([ONE]), pack([TWO]), pack([THREE])]), rel=1e-5)


segment_lists = st.lists(
    st.lists(st.tuples(st.integers(1, 2)) | st.tuples(st.integers(1, 2), st.integers(1, 2)),
             min_size=1, max_size=4).map(tuple),
    min_size=1, max_size=30,
)  # fmt: skip


@given(segment_lists, st.integers(4, 20))
def test_packs_hold_every_sequence_once_within_their_tokens(rows, pack_tokens):
    ordered = [rows[index] for index in neighbour_order(rows)]
    assert sorted(ordered) == sorted(rows)
    cuts = [0, *pack_cuts(ordered, pack_tokens), len(ordered)]
    trees = [build_tree(ordered[a:b]) for a, b in itertools.pairwise(cuts)]
    assert sum(len(tree.paths) for tree in trees) == len(rows)
    assert all(tree.num_tokens <= pack_tokens or len(tree.paths) == 1 for tree in trees)


def sampler(*, balance, batch_size=4, seed=0):
    rows = [
        sequence([(number % 7 + 1,), (number + 1,)], [0.2, 0.9 if number < 10 else 0.1])
        for number in range(50)
    ]
    order = neighbour_order([each.segments for each in rows])
    return rows, Sampler(rows, order, batch_size, 4, seed, balance)


def test_a_pass_meets_every_sequence_once_and_passes_differ():
    _, each = sampler(balance=False)
    passes = [each.epoch(0), each.epoch(0), each.epoch(1)]
    numbers = [
        [number for batch in batches for part, _ in batch for number in part.tolist()]
        for batches in passes
    ]
    assert sorted(numbers[0]) == list(range(50))
    assert sorted(numbers[2]) == list(range(50))
    assert numbers[0] == numbers[1] != numbers[2]
    assert len(passes[0]) == each.batches_per_epoch == 12


def test_balanced_draws_are_half_and_half_and_inverse_weights_undo_it():
    rows, each = sampler(balance=True)
    values = mean_values(rows)
    assert (values >= 0.5).sum() == 10
    sums = np.zeros(50)
    drawn = np.zeros(50)
    for number in range(400):
        for batch in each.epoch(number):
            for part, factors in batch:
                np.add.at(sums, part, factors)
                np.add.at(drawn, part, 1)
    assert drawn[values >= 0.5].sum() == pytest.approx(drawn.sum() / 2)
    # In expectation every sequence weighs what it weighs without balancing: once a pass.
    assert sums[values >= 0.5] / 400 == pytest.approx(np.ones(10), abs=0.05)
    assert sums[values < 0.5].mean() / 400 == pytest.approx(1, abs=1e-6)
    assert sums[values < 0.5] / 400 == pytest.approx(np.ones(40), abs=0.15)


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(0, 3))
def test_batches_hold_about_the_asked_number_of_sequences(batch_size, number):
    _, each = sampler(balance=False, batch_size=batch_size)
    sizes = [sum(part.size for part, _ in batch) for batch in each.epoch(number)]
    assert sum(sizes) == 50
    assert max(sizes) <= 2 * batch_size + 4
