"""The engine that decodes in this process with Transformers, many prefixes in one batch."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pav.models.decoding import sample_tokens
from pav.models.errors import EngineError, InputError
from pav.models.hashing import uniforms
from pav.models.records import FinishReason, Generated, Generation
from pav.tasks import slot_attention
from pav.tasks.checkpoints import load_policy, load_tokenizer
from pav.tasks.prefill import Prefilled, prefill
from pav.tasks.slot_cache import SlotCache
from pav.tasks.tokens import ends_step

# Rows of a decoding pass come in multiples of this.
ROW_STEP = 64


@dataclass(frozen=True)
class Sampling:
    """How a policy samples, and how much the engine decodes together."""

    temperature: float = 1.0
    top_p: float = 1.0
    batch_size: int = 512
    prefill_tokens: int = 16_384
    delimiter: str = "\n"


class Slots:
    """What is known of each row of the batch; row b of every array is slot b."""

    def __init__(self, size: int, longest: int) -> None:
        self.count = 0
        self.generations: list[Generation | None] = [None] * size
        self.streams = np.zeros(size, np.uint64)
        self.samples = np.zeros(size, np.uint64)
        self.lengths = np.zeros(size, np.int64)
        self.produced = np.zeros(size, np.int64)
        self.limits = np.zeros(size, np.int64)
        self.until_step = np.zeros(size, bool)
        self.tokens = np.zeros((size, longest), np.int64)

    def put(self, generation: Generation, sample: int) -> int:
        """Take the next slot for a sample and return it."""
        slot = self.count
        self.count += 1
        self.generations[slot] = generation
        self.streams[slot], self.samples[slot] = generation.stream, sample
        self.lengths[slot], self.produced[slot] = len(generation.token_ids), 0
        self.limits[slot] = generation.max_tokens
        self.until_step[slot] = generation.until_step
        return slot

    def keep(self, kept: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Close ranks over the slots not kept; return which slots moved, and where to."""
        holes = np.setdiff1d(np.arange(len(kept)), kept, assume_unique=True)
        sources = kept[kept >= len(kept)]
        for array in self._arrays():
            array[holes] = array[sources]
        for hole, source in zip(holes, sources, strict=True):
            self.generations[hole] = self.generations[source]
        self.count = len(kept)
        return sources, holes

    def _arrays(self) -> tuple[NDArray[np.generic], ...]:
        return (
            self.streams, self.samples, self.lengths, self.produced, self.limits,
            self.until_step, self.tokens,
        )  # fmt: skip


class TransformersEngine:
    """Continuous batching over a slot cache; each sample's noise comes from its own name."""

    def __init__(self, folder: Path, sampling: Sampling, *, device: str, dtype: str) -> None:
        self.version = 0
        self.sampling = sampling
        self._device, self._dtype = device, dtype
        self._waiting: deque[Generation] = deque()
        self._ready: deque[tuple[Generation, int, Prefilled]] = deque()
        self._slots = Slots(0, 0)
        self.load_weights(folder)

    def load_weights(self, folder: Path) -> None:
        """Load a checkpoint folder; RuntimeError while anything is in flight."""
        if self._waiting or self._ready or self._slots.count:
            raise EngineError("load_weights: expected nothing in flight; poll until it is done")
        self.model: Any = load_policy(folder, dtype=self._dtype, device=self._device)
        tokenizer = load_tokenizer(folder)
        self.context = int(self.model.config.max_position_embeddings)
        vocabulary = int(self.model.config.vocab_size)
        self._ends_step = np.zeros(vocabulary, bool)
        self._ends_step[np.flatnonzero(ends_step(tokenizer, self.sampling.delimiter))] = True
        self.ends_text = np.zeros(vocabulary, bool)
        self.ends_text[_end_ids(self.model, tokenizer)] = True
        self._cache = SlotCache(self.sampling.batch_size, self._use_attention())
        self._slots = Slots(self.sampling.batch_size, self.context)
        self.version += 1

    def _use_attention(self) -> torch.dtype:
        """Choose the attention for the device; return the number type to cache in."""
        if self.model.device.type != "cpu":
            dtype: torch.dtype = self.model.dtype
            return dtype
        self.model.set_attn_implementation(slot_attention.NAME)
        return torch.float32

    def submit(self, generations: Iterable[Generation]) -> None:
        """Queue requests; InputError where a sequence leaves no room in the context."""
        for generation in generations:
            if len(generation.token_ids) >= self.context:
                raise InputError(
                    f"prefix: expected fewer tokens than the policy's context of {self.context}, "
                    f"got {len(generation.token_ids)}; shorten it or use a policy with more"
                )
            self._waiting.append(generation)

    def poll(self) -> list[Generated]:
        """Fill free slots, decode one token of every row, return the samples that ended."""
        with torch.inference_mode():
            finished = self._admit()
            if self._slots.count:
                finished += self._advance(self._decode())
        return finished

    def cancel(self, request_ids: Iterable[int]) -> None:
        """Drop requests, also those that are being decoded."""
        gone = set(request_ids)
        self._waiting = deque(item for item in self._waiting if item.request_id not in gone)
        self._ready = deque(item for item in self._ready if item[0].request_id not in gone)
        active = self._slots.generations[: self._slots.count]
        with torch.inference_mode():
            self._keep([b for b, item in enumerate(active) if item and item.request_id not in gone])

    def close(self) -> None:
        """Let go of the weights and the cache."""
        del self.model, self._cache

    def _admit(self) -> list[Generated]:
        """Fill the free slots, once enough are free to make the prefill's batch worthwhile."""
        free = self.sampling.batch_size - self._slots.count
        if not (self._waiting or self._ready) or free * 8 < self.sampling.batch_size:
            return []
        self._prefill(free)
        count = min(free, len(self._ready))
        arrivals = [self._ready.popleft() for _ in range(count)]
        first = self._slots.count
        self._place(arrivals)
        self._cache.shrink(int(self._slots.lengths[: self._slots.count].max()))
        logits_BV = torch.stack([start.logits_V for _, _, start in arrivals])
        return self._advance(logits_BV, first)

    def _prefill(self, free: int) -> None:
        """Run the prefixes of as many waiting requests as the free slots can take."""
        group: list[Generation] = []
        expected = len(self._ready)
        while self._waiting and expected < free:
            group.append(self._waiting.popleft())
            expected += group[-1].num_samples
        starts = prefill(
            self.model, [item.token_ids for item in group], max_tokens=self.sampling.prefill_tokens
        )
        for item in group:
            start = starts[item.token_ids]
            self._ready.extend((item, sample, start) for sample in range(item.num_samples))

    def _place(self, arrivals: list[tuple[Generation, int, Prefilled]]) -> None:
        """Give each arrival a slot and copy its prefix's keys and values there."""
        passes: dict[int, list[tuple[int, Prefilled]]] = {}
        for generation, sample, start in arrivals:
            slot = self._slots.put(generation, sample)
            passes.setdefault(id(start.layers), []).append((slot, start))
        for placed in passes.values():
            layers = placed[0][1].layers
            slots = torch.tensor([slot for slot, _ in placed], device=self.model.device)
            rows = torch.tensor([start.row for _, start in placed], device=self.model.device)
            self._cache.fill(slots, layers, rows)

    def _decode(self) -> torch.Tensor:
        """Run the last token of every row; return its next-token logits (B, V)."""
        slots, count = self._slots, self._slots.count
        # A few row counts only: the CPU's kernels are compiled anew for each they meet.
        rows = min(-(-count // ROW_STEP) * ROW_STEP, self.sampling.batch_size)
        # lengths counts the newest token, which is what this pass runs and writes.
        positions = np.zeros(rows, np.int64)
        positions[:count] = slots.lengths[:count] - 1
        newest = slots.tokens[np.arange(rows), slots.produced[:rows] - 1]
        positions_B = torch.from_numpy(positions).to(self.model.device)
        self._cache.begin(positions_B, int(positions.max()))
        hidden = self.model.base_model(
            torch.from_numpy(newest).to(self.model.device)[:, None],
            attention_mask=self._cache.mask(),
            position_ids=positions_B[:, None],
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        logits: torch.Tensor = self.model.get_output_embeddings()(hidden[:, 0])
        return logits[:count]

    def _advance(self, logits_BV: torch.Tensor, first: int = 0) -> list[Generated]:
        """Sample a token for every row from `first` on; return and drop those that ended."""
        slots = self._slots
        rows = np.arange(first, slots.count)
        numbers = uniforms(
            slots.streams[rows], slots.samples[rows], slots.produced[rows].astype(np.uint64)
        )
        tokens = sample_tokens(
            logits_BV,
            torch.from_numpy(numbers).to(logits_BV.device),
            temperature=self.sampling.temperature,
            top_p=self.sampling.top_p,
        ).cpu().numpy()  # fmt: skip
        stopped = self.ends_text[tokens]
        stepped = self._ends_step[tokens] & slots.until_step[rows]
        # An end of text is a decision, not a token of the response.
        slots.tokens[rows, slots.produced[rows]] = tokens
        slots.produced[rows] += ~stopped
        slots.lengths[rows] += ~stopped
        full = (slots.produced[rows] >= slots.limits[rows]) | (slots.lengths[rows] >= self.context)
        ended = stopped | stepped | full
        if not ended.any():
            return []
        reasons = np.select([stopped, stepped], ["stop", "step"], "length")
        finished = [self._generated(int(rows[i]), str(reasons[i])) for i in np.flatnonzero(ended)]
        self._keep(np.concatenate([np.arange(first), rows[~ended]]))
        return finished

    def _generated(self, slot: int, reason: str) -> Generated:
        generation = self._slots.generations[slot]
        if generation is None:
            raise EngineError(f"slot {slot}: expected a request, found none")
        tokens = self._slots.tokens[slot, : self._slots.produced[slot]]
        finish: FinishReason = (
            "stop" if reason == "stop" else "step" if reason == "step" else "length"
        )
        return Generated(
            generation.request_id, int(self._slots.samples[slot]), tuple(tokens.tolist()), finish
        )

    def _keep(self, kept: Iterable[int]) -> None:
        """Close ranks, so that finished rows cost nothing from the next token on."""
        sources, targets = self._slots.keep(np.fromiter(kept, np.int64))
        if len(sources):
            device = self.model.device
            self._cache.move(
                torch.from_numpy(sources).to(device), torch.from_numpy(targets).to(device)
            )


def _end_ids(model: object, tokenizer: object) -> list[int]:
    """Return the ids that end a response, by the model's generation settings and tokenizer."""
    listed = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = set(listed if isinstance(listed, list) else [] if listed is None else [listed])
    own = getattr(tokenizer, "eos_token_id", None)
    return sorted(ids | ({own} if own is not None else set()))
