"""One forward pass for many prefixes: a prefix of another one in the group costs nothing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

Tokens = tuple[int, ...]

# Rows and lengths of a pass come in multiples of this: kernels are compiled for each size.
SIZE_STEP = 8
# The fixed cost of a pass, in tokens.
PASS_COST = 256


@dataclass(frozen=True)
class Prefilled:
    """The keys and values that a sequence's samples start from, and its next-token logits.

    `states_NHTD` has the keys and values of each layer in turn, by head, position and size.
    """

    states_NHTD: torch.Tensor
    logits_V: torch.Tensor


def prefill(model: Any, sequences: Sequence[Tokens], *, max_tokens: int) -> dict[Tokens, Prefilled]:
    """Return the start of every distinct sequence.

    Attention is causal, so the states of a sequence serve each sequence that begins it: only
    the longest are run. Passes hold sequences of similar length, at most `max_tokens` padded.
    """
    cover = _cover(sorted(set(sequences)))
    prefilled: dict[Tokens, Prefilled] = {}
    for leaves in groups_of(sorted(cover, key=len), max_tokens):
        members = [(row, sequence) for row, leaf in enumerate(leaves) for sequence in cover[leaf]]
        prefilled.update(_run(model, leaves, members))
    return prefilled


def _cover(ordered: Sequence[Tokens]) -> dict[Tokens, list[Tokens]]:
    """Return each longest sequence with those that begin it, itself included."""
    cover: dict[Tokens, list[Tokens]] = {}
    begun: list[Tokens] = []
    for sequence, following in itertools.zip_longest(ordered, ordered[1:], fillvalue=()):
        begun.append(sequence)
        # In lexicographic order a sequence stands right before those that it begins.
        if following[: len(sequence)] != sequence:
            cover[sequence], begun = begun, []
    return cover


def groups_of(leaves: list[Tokens], max_tokens: int) -> list[list[Tokens]]:
    """Cut leaves, shortest first, into passes of at most `max_tokens` padded tokens.

    A pass ends where a longer leaf would pad the others by more tokens than a pass costs.
    """
    groups: list[list[Tokens]] = []
    for leaf in leaves:
        group = groups[-1] if groups else []
        padding = len(group) * (len(leaf) - len(group[0])) if group else PASS_COST
        if padding < PASS_COST and (len(group) + 1) * len(leaf) <= max_tokens:
            group.append(leaf)
        else:
            groups.append([leaf])
    return groups


def _run(
    model: Any, leaves: list[Tokens], members: list[tuple[int, Tokens]]
) -> dict[Tokens, Prefilled]:
    cache = DynamicCache(config=model.config)
    hidden = model.base_model(
        padded(leaves).to(model.device), past_key_values=cache, use_cache=True
    ).last_hidden_state
    places = [(row, len(sequence) - 1) for row, sequence in members]
    places += [(0, 0)] * (-len(places) % SIZE_STEP)
    rows, ends = torch.tensor(places, device=hidden.device).T
    logits = model.get_output_embeddings()(hidden[rows, ends])
    states = torch.stack([each for layer in cache.layers for each in (layer.keys, layer.values)])
    return {
        sequence: Prefilled(states[:, row, :, : len(sequence)], logits[index])
        for index, (row, sequence) in enumerate(members)
    }


def padded(leaves: list[Tokens]) -> torch.Tensor:
    """Return leaves as rows of one length, of a size that few passes do not share."""
    # Padding stands on the right, where causal attention never looks.
    width = -(-len(leaves[-1]) // SIZE_STEP) * SIZE_STEP
    rows = [leaf + (0,) * (width - len(leaf)) for leaf in leaves]
    return torch.tensor(rows + [(0,) * width] * (-len(rows) % SIZE_STEP))
