"""A KV cache of slots: each row of the decoding batch has its own length."""

from typing import Any

import torch
from transformers import Cache

# Shapes: B active rows, S slots, H key-value heads, T positions, D head size.


# Positions are added and dropped in steps of this many.
_CHUNK = 8


class SlotCache(Cache):  # type: ignore[misc]
    """Keys and values of S sequences, written one position at a time, each row at its own.

    T is kept just above the longest row, because attention over a slice of the positions would
    copy all keys and values first. `begin(lengths_B)` names the position that the next forward
    writes; pass `mask()` with it.
    """

    def __init__(self, num_slots: int, dtype: torch.dtype) -> None:
        super().__init__(layers=[])
        self.num_slots = num_slots
        self.dtype = dtype
        self.keys_SHTD: list[torch.Tensor] = []
        self.values_SHTD: list[torch.Tensor] = []
        self.rows_B = torch.arange(0)
        self.lengths_B = torch.arange(0)

    @property
    def width(self) -> int:
        """Positions that there is room for."""
        return self.keys_SHTD[0].shape[2] if self.keys_SHTD else 0

    def begin(self, lengths_B: torch.Tensor, longest: int) -> None:
        """Set where the next token of each active row goes."""
        if self.width <= longest:
            self._resize(longest + 1)
        self.rows_B = torch.arange(len(lengths_B), device=lengths_B.device)
        self.lengths_B = lengths_B

    def mask(self) -> torch.Tensor:
        """Return the mask (B, 1, 1, T) to add to the attention logits."""
        positions = torch.arange(self.width, device=self.lengths_B.device)
        hidden = positions > self.lengths_B[:, None]
        mask = torch.zeros(hidden.shape, dtype=self.dtype, device=hidden.device)
        return mask.masked_fill_(hidden, torch.finfo(self.dtype).min)[:, None, None, :]

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write (B, H, 1, D) at each row's position; return views (B, H, T, D)."""
        keys, values = self.keys_SHTD[layer_idx], self.values_SHTD[layer_idx]
        keys[self.rows_B, :, self.lengths_B] = key_states[:, :, 0].to(self.dtype)
        values[self.rows_B, :, self.lengths_B] = value_states[:, :, 0].to(self.dtype)
        active = len(self.rows_B)
        return keys[:active], values[:active]

    def fill(
        self,
        slots: torch.Tensor,
        layers: list[tuple[torch.Tensor, torch.Tensor]],
        rows: torch.Tensor,
    ) -> None:
        """Copy prefilled rows (of (P, H, L, D) layers) into slots."""
        if not self.keys_SHTD:
            self.keys_SHTD = [self._empty(keys, 0) for keys, _ in layers]
            self.values_SHTD = [self._empty(values, 0) for _, values in layers]
        length = layers[0][0].shape[2]
        if self.width < length:
            self._resize(length)
        for index, (keys, values) in enumerate(layers):
            self.keys_SHTD[index][slots, :, :length] = keys[rows].to(self.dtype)
            self.values_SHTD[index][slots, :, :length] = values[rows].to(self.dtype)

    def move(self, sources: torch.Tensor, targets: torch.Tensor) -> None:
        """Copy some slots to others."""
        for tensor in (*self.keys_SHTD, *self.values_SHTD):
            tensor[targets] = tensor[sources]

    def get_seq_length(self, layer_idx: int = 0, *_: Any, **__: Any) -> int:
        """Return the widest row; Transformers asks, positions are given explicitly."""
        return self.width

    def shrink(self, longest: int) -> None:
        """Give back positions far above the longest row."""
        if self.width > longest + 2 * _CHUNK:
            self._resize(longest + 1)

    def _resize(self, length: int) -> None:
        width = -(-length // _CHUNK) * _CHUNK
        for store in (self.keys_SHTD, self.values_SHTD):
            for index, old in enumerate(store):
                store[index] = self._empty(old, width)
                kept = min(width, old.shape[2])
                store[index][:, :, :kept] = old[:, :, :kept]

    def _empty(self, like: torch.Tensor, length: int) -> torch.Tensor:
        # Zeros, since a masked position still enters the product as 0 * value.
        shape = (self.num_slots, like.shape[1], length, like.shape[3])
        return torch.zeros(shape, dtype=self.dtype, device=like.device)
