"""Logits of a verifier at step ends, of batches and of trees of prefixes."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pav.models.verifiers.batches import (
    Batch,
)
from pav.models.verifiers.trees import TreeBatch


def batch_logits(model: Any, batch: Batch, *, half: bool) -> Tensor:
    """Return the logits at each step end of a batch, shape (N, H heads), float32."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        logits_BTH = model(
            input_ids=torch.from_numpy(batch.token_ids_BT).to(device), use_cache=False
        ).logits
    return _pick(logits_BTH, batch.rows_N, batch.columns_N)


def tree_logits(model: Any, trees: TreeBatch, *, half: bool) -> Tensor:
    """Return the logits at each node of some trees, shape (N nodes, H heads), float32."""
    device = next(model.parameters()).device
    can_see_B1TT = torch.from_numpy(trees.can_see_B1TT).to(device)
    # As an addend, which eager attention wants; finite, since -inf minus -inf would be NaN.
    mask_B1TT = torch.zeros(can_see_B1TT.shape, device=device, dtype=model.dtype)
    mask_B1TT.masked_fill_(~can_see_B1TT, -1e9)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        logits_BTH = model(
            input_ids=torch.from_numpy(trees.token_ids_BT).to(device),
            position_ids=torch.from_numpy(trees.positions_BT).to(device),
            attention_mask=mask_B1TT,
            use_cache=False,
        ).logits
    return _pick(logits_BTH, trees.rows_N, trees.columns_N)


def _pick(logits_BTH: Tensor, rows_N: NDArray[np.int64], columns_N: NDArray[np.int64]) -> Tensor:
    device = logits_BTH.device
    rows, columns = torch.from_numpy(rows_N).to(device), torch.from_numpy(columns_N).to(device)
    logits_NH: Tensor = logits_BTH[rows, columns]
    return logits_NH.float()
