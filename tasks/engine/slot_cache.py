"""A KV cache of slots: each row of the decoding batch has its own length."""

from typing import Any

import torch
from transformers import Cache

from pav.tasks.engine.prefill import Prefilled

# Shapes: N keys and values of all layers in turn, B decoded rows, S slots, H key-value heads,
# T positions, D head size.

# Positions are added and dropped in steps of this many.
_CHUNK = 16


class SlotCache(Cache):  # type: ignore[misc]
    """Keys and values of S sequences, written one position at a time, each row at its own.

    T is kept just above the longest row, because attention over a slice of the positions would
    copy all keys and values first. `begin(lengths_B)` names the position that the next forward
    writes; pass `mask()` with it.
    """

    def __init__(self, num_slots: int, dtype: torch.dtype) -> None:
        super().__init__(layers=[])
        self.num_slots = num_slots
        self.states_NSHTD = torch.zeros(0, num_slots, 0, 0, 0, dtype=dtype)
        self.lengths_B = torch.arange(0)
        self._written = torch.arange(0)

    @property
    def width(self) -> int:
        """Positions that there is room for."""
        return self.states_NSHTD.shape[3]

    def begin(self, lengths_B: torch.Tensor, longest: int) -> None:
        """Set where the next token of each row goes."""
        # A change of T costs as much as some steps, so a few positions too many are kept.
        if not longest < self.width <= longest + 2 * _CHUNK:
            self._resize(longest + 1)
        self.lengths_B = lengths_B
        num_heads = self.states_NSHTD.shape[2]
        heads = torch.arange(len(lengths_B) * num_heads, device=lengths_B.device)
        self._written = heads * self.width + lengths_B.repeat_interleave(num_heads)

    def mask(self) -> torch.Tensor:
        """Return the mask (B, 1, 1, T) to add to the attention logits."""
        positions = torch.arange(self.width, device=self.lengths_B.device)
        hidden = positions > self.lengths_B[:, None]
        mask = torch.zeros_like(hidden, dtype=self.states_NSHTD.dtype)
        return mask.masked_fill_(hidden, torch.finfo(mask.dtype).min)[:, None, None, :]

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write (B, H, 1, D) at each row's position; return views (B, H, T, D)."""
        keys_SHTD, values_SHTD = self.states_NSHTD[2 * layer_idx : 2 * layer_idx + 2]
        for stored, given in ((keys_SHTD, key_states), (values_SHTD, value_states)):
            size = given.shape[-1]
            stored.view(-1, size).index_copy_(
                0, self._written, given.reshape(-1, size).to(stored.dtype)
            )
        active = len(self.lengths_B)
        return keys_SHTD[:active], values_SHTD[:active]

    def fill(self, slots: list[int], start: Prefilled) -> None:
        """Copy the keys and values of one prefilled sequence into slots."""
        states_NHTD = start.states_NHTD.to(self.states_NSHTD.dtype)
        num, heads, length, size = states_NHTD.shape
        if not self.width:
            shape = (num, self.num_slots, heads, 0, size)
            self.states_NSHTD = states_NHTD.new_zeros(shape)
        if self.width < length:
            self._resize(length)
        # One plain copy a slot is faster on CPUs than one indexed copy to all of them.
        for slot in slots:
            self.states_NSHTD[:, slot, :, :length] = states_NHTD

    def move(self, sources: torch.Tensor, targets: torch.Tensor) -> None:
        """Copy some slots to others."""
        self.states_NSHTD[:, targets] = self.states_NSHTD[:, sources]

    def get_seq_length(self, layer_idx: int = 0, *_: Any, **__: Any) -> int:
        """Return the widest row; Transformers asks, positions are given explicitly."""
        return self.width

    def _resize(self, length: int) -> None:
        width = -(-length // _CHUNK) * _CHUNK
        old = self.states_NSHTD
        kept = min(width, self.width)
        # Zeros, since a masked position still enters the product as 0 * value.
        self.states_NSHTD = old.new_zeros((*old.shape[:3], width, old.shape[4]))
        self.states_NSHTD[:, :, :, :kept] = old[:, :, :, :kept]
