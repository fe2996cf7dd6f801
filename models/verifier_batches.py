"""Batches of verifier training: responses that share prefixes are packed as trees.

A pack holds each shared step once; a tree attention mask lets every step see its own ancestors
alone, so the logits are those of the separate responses at a fraction of the tokens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Segment = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EncodedSequence:
    """Token ids of the prompt and of each step; targets and weights of shape (segments, heads)."""

    segments: tuple[Segment, ...]
    targets: Floats
    weights: Floats


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
class Pack:
    """A few responses as one tree of segments; targets and weights of shape (nodes, heads)."""

    tree: Tree
    targets: Floats
    weights: Floats


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


@dataclass(frozen=True, slots=True)
class Batch:
    """Packs as one batch: the trees, targets and weights of shape (N nodes, H heads)."""

    trees: TreeBatch
    targets_NH: Floats
    weights_NH: Floats


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


def pack(sequences: Sequence[EncodedSequence]) -> Pack:
    """Return the sequences as one tree; a node adds up the weights of those it serves."""
    tree = build_tree(sequence.segments for sequence in sequences)
    numbers = np.array([number for path in tree.paths for number in path])
    weights = np.concatenate([sequence.weights for sequence in sequences])
    targets = np.concatenate([sequence.targets for sequence in sequences])
    total = np.zeros((len(tree.nodes), weights.shape[1]), dtype=np.float32)
    weighted = total.copy()
    np.add.at(total, numbers, weights)
    np.add.at(weighted, numbers, weights * targets)
    return Pack(tree, (weighted / np.where(total > 0, total, 1)).astype(np.float32), total)


def collate(packs: Sequence[Pack], *, pad_id: int) -> Batch:
    """Return packs as one batch."""
    return Batch(
        collate_trees([pack.tree for pack in packs], pad_id=pad_id),
        np.concatenate([pack.targets for pack in packs]),
        np.concatenate([pack.weights for pack in packs]),
    )


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


@dataclass(frozen=True, slots=True)
class Sampler:
    """The order in which sequences are trained on: a function of seed and step alone.

    `order` lists the sequences so that neighbours share prefixes; neighbours are packed up to
    `pack_tokens` tokens, and a batch holds about `batch_size` sequences.
    """

    sequences: Sequence[EncodedSequence]
    order: Integers
    batch_size: int
    pack_tokens: int
    seed: int
    balance: bool

    @property
    def batches_per_epoch(self) -> int:
        """Batches in one pass over the data."""
        return max(1, round(self.order.size / self.batch_size))

    def epoch(self, number: int) -> list[list[tuple[Integers, Floats]]]:
        """Return the batches of a pass, each a list of packs: sequence numbers and factors.

        A factor multiplies the sequence's weights. With `balance`, sequences of mean value under
        and over 0.5 are drawn equally often and the factor is (share in the data) / (share drawn).
        """
        random = np.random.default_rng([self.seed, number])
        drawn, factors = self._draw(random)
        # Another first pack, and so another cut into neighbours, in every pass.
        first = int(random.integers(self.pack_tokens))
        cuts = pack_cuts([self.sequences[i].segments for i in drawn], self.pack_tokens, used=first)
        packs = list(zip(np.split(drawn, cuts), np.split(factors, cuts), strict=True))
        shuffled = random.permutation(len(packs))
        return [
            [packs[index] for index in part]
            for part in np.array_split(shuffled, min(self.batches_per_epoch, len(packs)))
        ]

    def _draw(self, random: np.random.Generator) -> tuple[Integers, Floats]:
        if not self.balance:
            return self.order, np.ones(self.order.size, dtype=np.float32)
        high = mean_values(self.sequences)[self.order] >= 0.5
        share = float(high.mean())
        if share in (0.0, 1.0):
            return self.order, np.ones(self.order.size, dtype=np.float32)
        half = (self.order.size + 1) // 2
        picked = [_cycle(np.flatnonzero(high == side), half, random) for side in (True, False)]
        places = np.sort(np.concatenate(picked))
        factors = np.where(high[places], 2 * share, 2 * (1 - share)).astype(np.float32)
        return self.order[places], factors


def _cycle(numbers: Integers, size: int, random: np.random.Generator) -> Integers:
    """Return `size` of the numbers, each as often as any other give or take one, at random."""
    whole, rest = divmod(size, numbers.size)
    return np.concatenate([np.tile(numbers, whole), random.permutation(numbers)[:rest]])


def neighbour_order(sequences: Sequence[tuple[Segment, ...]]) -> Integers:
    """Return the order that puts sequences with long shared prefixes side by side."""
    return np.array(sorted(range(len(sequences)), key=sequences.__getitem__), dtype=np.int64)


def pack_cuts(
    sequences: Sequence[tuple[Segment, ...]], pack_tokens: int, *, used: int = 0
) -> list[int]:
    """Return where to cut neighbouring sequences so that no pack holds over `pack_tokens` tokens.

    A sequence longer than that is a pack of its own. `used` tokens of the first pack are taken.
    """
    cuts = []
    before: tuple[Segment, ...] = ()
    for index, segments in enumerate(sequences):
        tokens = _new_tokens(segments, before)
        if index and used + tokens > pack_tokens:
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


def mean_values(sequences: Sequence[EncodedSequence]) -> Floats:
    """Return each sequence's weighted mean target, over all its step ends and heads."""
    return np.array(
        [
            np.sum(s.targets * s.weights) / max(float(np.sum(s.weights)), 1e-9)
            for s in sequences
        ],
        dtype=np.float32,
    )  # fmt: skip


def scaled(sequence: EncodedSequence, factor: float) -> EncodedSequence:
    """Return the sequence with its weights multiplied."""
    if factor == 1.0:
        return sequence
    weights = sequence.weights * np.float32(factor)
    return EncodedSequence(sequence.segments, sequence.targets, weights)
