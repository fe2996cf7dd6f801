import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForTokenClassification

from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings
from pav.models.verifiers.logits import tree_logits
from pav.models.verifiers.trees import build_tree, collate_trees, neighbour_order, tree_cuts

ONE = ((5, 6), (7,), (8, 9))
TWO = ((5, 6), (7,), (3,))
THREE = ((5, 6), (4, 4, 4))


def test_shared_segments_are_held_once():
    tree = build_tree([ONE, TWO, THREE])
    assert [node.segment for node in tree.nodes] == [(5, 6), (7,), (8, 9), (3,), (4, 4, 4)]
    assert tree.paths == ((0, 1, 2), (0, 1, 3), (0, 4))
    assert [node.position for node in tree.nodes] == [0, 2, 3, 3, 2]
    assert tree.num_tokens == 9


def test_a_token_sees_its_own_ancestors_and_nothing_else():
    trees = collate_trees([build_tree([ONE, TWO])], pad_id=0)
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


def test_logits_of_a_tree_are_those_of_the_separate_sequences(model):
    trees = [build_tree([ONE, TWO]), build_tree([THREE])]
    with torch.inference_mode():
        together = tree_logits(model, collate_trees(trees, pad_id=0), half=False)
        for segments, nodes in ((ONE, [0, 1, 2]), (TWO, [0, 1, 3]), (THREE, [4, 5])):
            ids = [token for segment in segments for token in segment]
            ends = np.cumsum([len(segment) for segment in segments]) - 1
            alone = model(input_ids=torch.tensor([ids])).logits[0, ends]
            assert torch.allclose(together[nodes], alone, atol=1e-6)


segment_lists = st.lists(
    st.lists(st.tuples(st.integers(1, 2)) | st.tuples(st.integers(1, 2), st.integers(1, 2)),
             min_size=1, max_size=4).map(tuple),
    min_size=1, max_size=30,
)  # fmt: skip


@given(segment_lists, st.integers(4, 20))
def test_trees_hold_every_sequence_once_within_their_tokens(rows, tree_tokens):
    ordered = [rows[index] for index in neighbour_order(rows)]
    assert sorted(ordered) == sorted(rows)
    cuts = [0, *tree_cuts(ordered, tree_tokens), len(ordered)]
    trees = [build_tree(ordered[start:end]) for start, end in itertools.pairwise(cuts)]
    assert sum(len(tree.paths) for tree in trees) == len(rows)
    assert all(tree.num_tokens <= tree_tokens or len(tree.paths) == 1 for tree in trees)
