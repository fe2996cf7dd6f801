"""A KV cache of slots: each row of the decoding batch has its own length."""

from typing import Any

import torch
from transformers import Cache

# Shapes: B active rows, S slots, H key-value heads, T positions, D head size.


class SlotCache(Cache):  # type: ignore[misc]
    """Keys and values of S sequences, written one position at a time, each row at its own.

    `begin(lengths_B)` names the position that the next forward writes; attention then sees
    the first max(lengths) + 1 positions, so pass `mask()` with it.
    """

    def __init__(self, num_slots: int) -> None:
        super().__init__(layers=[])
        self.num_slots = num_slots
        self.keys_SHTD: list[torch.Tensor] = []
        self.values_SHTD: list[torch.Tensor] = []
        self.rows_B = torch.arange(0)
        self.lengths_B = torch.arange(0)
        self.width = 0

    def begin(self, lengths_B: torch.Tensor, longest: int) -> None:
        """Set where the next token of each active row goes."""
        self.rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        self.lengths_B = lengths_B
        self.width = longest + 1

    def mask(self) -> torch.Tensor:
        """Return the boolean mask (B, 1, 1, width) of the positions that each row may see."""
        positions = torch.arange(self.width, device=self.lengths_B.device)
        return (positions <= self.lengths_B[:, None])[:, None, None, :]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write (B, H, 1, D) at each row's position; return views (B, H, width, D)."""
        keys, values = self.keys_SHTD[layer_idx], self.values_SHTD[layer_idx]
        keys[self.rows_B, :, self.lengths_B] = key_states[:, :, 0]
        values[self.rows_B, :, self.lengths_B] = value_states[:, :, 0]
        active = len(self.rows_B)
        return keys[:active, :, : self.width], values[:active, :, : self.width]

    def reserve(self, layers: list[tuple[torch.Tensor, torch.Tensor]], length: int) -> None:
        """Make room for `length` positions, shaped like the prefill's keys and values."""
        if not self.keys_SHTD:
            for store, index in ((self.keys_SHTD, 0), (self.values_SHTD, 1)):
                store.extend(self._empty(layer[index], length) for layer in layers)
        elif self.keys_SHTD[0].shape[2] < length:
            for store in (self.keys_SHTD, self.values_SHTD):
                store[:] = [self._grown(tensor, length) for tensor in store]

    def _empty(self, like: torch.Tensor, length: int) -> torch.Tensor:
        # Zeros, since a masked position still enters the product as 0 * value.
        return like.new_zeros(self.num_slots, like.shape[1], length, like.shape[3])

    def _grown(self, tensor: torch.Tensor, length: int) -> torch.Tensor:
        grown = self._empty(tensor, length)
        grown[:, :, : tensor.shape[2]] = tensor
        return grown

    def fill(
        self,
        slots: torch.Tensor,
        layers: list[tuple[torch.Tensor, torch.Tensor]],
        rows: torch.Tensor,
    ) -> None:
        """Copy prefilled rows (of (P, H, L, D) layers) into slots."""
        width = layers[0][0].shape[2]
        for index, (keys, values) in enumerate(layers):
            self.keys_SHTD[index][slots, :, :width] = keys[rows]
            self.values_SHTD[index][slots, :, :width] = values[rows]

    def move(self, sources: torch.Tensor, targets: torch.Tensor, length: int) -> None:
        """Copy the first `length` positions of some slots to others."""
        for store in (self.keys_SHTD, self.values_SHTD):
            for tensor in store:
                tensor[targets, :, :length] = tensor[sources, :, :length]

    def get_seq_length(self, layer_idx: int = 0, *_: Any, **__: Any) -> int:
        """Return the widest row; Transformers asks, positions are given explicitly."""
        return self.width
