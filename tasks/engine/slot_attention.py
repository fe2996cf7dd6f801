"""Attention for one new token per row over a slot cache, fast on CPUs."""

from typing import Any

import torch
from transformers import AttentionInterface

NAME = "pav_slots"


def slot_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Return the attention output (B, Q, heads, D).

    Many queries attend causally by PyTorch's kernel. One query per row (decoding) is two batched
    products in the cache's number type: PyTorch's CPU kernel is three times slower at that, and
    batched products of bfloat16 twice slower than of float32.
    """
    if query.shape[2] > 1:
        attended = torch.nn.functional.scaled_dot_product_attention(
            query,
            key,
            value,
            scale=scaling,
            is_causal=True,
            enable_gqa=query.shape[1] != key.shape[1],
        )
        return attended.transpose(1, 2).contiguous(), None
    rows, heads = key.shape[:2]
    grouped = (query * scaling).view(rows, heads, -1, query.shape[-1]).to(key.dtype)
    logits = torch.matmul(grouped, key.transpose(2, 3))
    if attention_mask is not None:
        logits += attention_mask
    attended = torch.matmul(torch.softmax(logits, dim=-1), value)
    return attended.view(rows, 1, -1, query.shape[-1]).to(query.dtype), None


AttentionInterface.register(NAME, slot_attention)
