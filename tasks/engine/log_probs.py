"""Log-probabilities of known sequences under a policy, by forward passes."""

from collections.abc import Sequence
from typing import Any

import torch

from pav.models.policy.decoding import log_probs_of
from pav.tasks.engine.prefill import Tokens, groups_of, padded


def log_probs(
    model: Any,
    sequences: Sequence[tuple[Tokens, int]],
    *,
    temperature: float,
    top_p: float,
    max_tokens: int,
) -> list[float]:
    """Return the log-probability, in nats, of each sequence's tokens from its start on.

    `sequences` has token ids with the place of the first one that counts, at least 1. A pass holds
    at most `max_tokens` padded tokens. The distribution is the one that samples are drawn from.
    """
    distinct = sorted(dict.fromkeys(ids for ids, _ in sequences), key=len)
    of_tokens: dict[Tokens, torch.Tensor] = {}
    for group in groups_of(distinct, max_tokens):
        of_tokens |= zip(group, _of_tokens(model, group, temperature, top_p), strict=True)
    # Token i is predicted at place i - 1.
    return [float(of_tokens[ids][start - 1 : len(ids) - 1].sum()) for ids, start in sequences]


def _of_tokens(
    model: Any, group: list[Tokens], temperature: float, top_p: float
) -> list[torch.Tensor]:
    """Return, for each row, the log-probability of every token but its first."""
    ids_BT = padded(group).to(model.device)
    hidden_BTD = model.base_model(ids_BT, use_cache=False).last_hidden_state
    rows = []
    for row in range(len(group)):
        logits_TV = model.get_output_embeddings()(hidden_BTD[row, :-1])
        rows.append(
            log_probs_of(logits_TV, ids_BT[row, 1:], temperature=temperature, top_p=top_p).double()
        )
    return rows
