"""A policy whose weights are the same numbers on every machine: each token follows from the last.

Nothing is trained. Attention and the feed-forward layer add nothing, a token's embedding is a unit
vector of its own, and the last layer holds how often a token followed that one in some texts.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from transformers import LlamaForCausalLM

from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings

# A token that never followed is this unlikely, in nats.
_NEVER = -30.0
SIZE = 64


def save_bigram_policy(folder: Path, texts: Sequence[str]) -> str:
    """Save the policy of some texts of at most 64 different tokens; return its folder."""
    tokenizer = build_tokenizer()
    rows = [[*tokenizer.encode(text), tokenizer.eos_token_id] for text in texts]
    config = build_config(
        PrepareSettings(num_layers=1, hidden_size=SIZE, intermediate_size=16, num_heads=1),
        tokenizer,
    )
    config.tie_word_embeddings = False
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.model.norm.weight.fill_(1.0)
        for place, token in enumerate(sorted({token for row in rows for token in row})):
            model.model.embed_tokens.weight[token, place] = 1.0
            # The norm makes a unit vector one of this length.
            model.lm_head.weight[:, place] = torch.tensor(_logits(rows, token)) / math.sqrt(SIZE)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _logits(rows: Sequence[Sequence[int]], token: int) -> list[float]:
    """Return the logits of all tokens after one, to three decimals."""
    pairs = (pair for row in rows for pair in pairwise(row))
    counts = Counter(after for before, after in pairs if before == token)
    total = counts.total()
    return [
        round(math.log(counts[after] / total), 3) if counts[after] else _NEVER
        for after in range(len(build_tokenizer()))
    ]
