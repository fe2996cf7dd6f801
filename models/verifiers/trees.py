"""Scoring many responses at once: those that share prefixes are laid out as one tree.

A tree holds each shared step once; its attention mask lets every step see its own ancestors
alone, so the logits are those of the separate responses at a fraction of the tokens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Segment = tuple[int, ...]


class Node(NamedTuple):
    """A segment within a pack: where it starts, its first position, and what it continues."""

    segment: Segment
    offset: int
    position: int
    parent: int


class Tree(NamedTuple):
    """Distinct segments of some sequences, and for each sequence the nodes of its segments."""

    nodes: tuple[Node, ...]
    paths: tuple[tuple[int, ...], ...]

    @property
    def num_tokens(self) -> int:
        """Tokens of the tree."""
        return self.nodes[-1].offset + len(self.nodes[-1].segment)


@dataclass(frozen=True, slots=True)
class TreeBatch:
    """Trees as rows of one forward pass. Shape letters: B trees, T tokens, N nodes.

    `can_see_B1TT[b, 0, i, j]`: token i attends to token j. `rows_N`, `columns_N`: the last token
    of each node, where its logits are read.
    """

    token_ids_BT: Integers
    positions_BT: Integers
    can_see_B1TT: NDArray[np.bool_]
    rows_N: Integers
    columns_N: Integers


def build_tree(sequences: Iterable[tuple[Segment, ...]]) -> Tree:
    """Return the tree of some sequences of segments; equal beginnings are one path."""
    nodes: list[Node] = []
    numbers: dict[tuple[int, Segment], int] = {}
    paths = []
    offset = 0
    for segments in sequences:
        parent, position, path = -1, 0, []
        for segment in segments:
            number = numbers.setdefault((parent, segment), len(nodes))
            if number == len(nodes):
                nodes.append(Node(segment, offset, position, parent))
                offset += len(segment)
            parent, position = number, position + len(segment)
            path.append(number)
        paths.append(tuple(path))
    return Tree(tuple(nodes), tuple(paths))


def collate_trees(trees: Sequence[Tree], *, pad_id: int) -> TreeBatch:
    """Return trees as one batch, padded on the right to the longest."""
    size = (len(trees), max(tree.num_tokens for tree in trees))
    token_ids = np.full(size, pad_id, dtype=np.int64)
    positions = np.zeros(size, dtype=np.int64)
    # A padding token sees itself: a row of nothing but -inf would make the softmax NaN.
    can_see = np.tile(np.eye(size[1], dtype=np.bool_), (size[0], 1, 1))
    for row, tree in enumerate(trees):
        _lay_out(tree.nodes, token_ids[row], positions[row], can_see[row])
    rows = np.repeat(np.arange(size[0]), [len(tree.nodes) for tree in trees])
    columns = [node.offset + len(node.segment) - 1 for tree in trees for node in tree.nodes]
    return TreeBatch(token_ids, positions, can_see[:, None], rows, np.array(columns))


def _lay_out(
    nodes: Sequence[Node],
    token_ids_T: Integers,
    positions_T: Integers,
    can_see_TT: NDArray[np.bool_],
) -> None:
    for node in nodes:
        length = len(node.segment)
        span = slice(node.offset, node.offset + length)
        token_ids_T[span] = node.segment
        positions_T[span] = np.arange(node.position, node.position + length)
        if node.parent >= 0:
            parent = nodes[node.parent]
            can_see_TT[span] |= can_see_TT[parent.offset + len(parent.segment) - 1]
        can_see_TT[span, span] = np.tri(length, dtype=np.bool_)


def neighbour_order(sequences: Sequence[tuple[Segment, ...]]) -> Integers:
    """Return the order that puts sequences with long shared prefixes side by side."""
    return np.array(sorted(range(len(sequences)), key=sequences.__getitem__), dtype=np.int64)


def tree_cuts(sequences: Sequence[tuple[Segment, ...]], tree_tokens: int) -> list[int]:
    """Return where to cut neighbouring sequences so that no tree holds over `tree_tokens` tokens.

    A sequence longer than that is a tree of its own.
    """
    cuts, used = [], 0
    before: tuple[Segment, ...] = ()
    for index, segments in enumerate(sequences):
        tokens = _new_tokens(segments, before)
        if index and used + tokens > tree_tokens:
            cuts.append(index)
            used, tokens = 0, _new_tokens(segments, ())
        used, before = used + tokens, segments
    return cuts


def _new_tokens(segments: tuple[Segment, ...], before: tuple[Segment, ...]) -> int:
    """Return the tokens of segments after those that two neighbours share."""
    shared = 0
    for mine, other in zip(segments, before, strict=False):
        if mine != other:
            break
        shared += 1
    return sum(map(len, segments[shared:]))
