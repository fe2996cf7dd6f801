"""The engine that decodes in this process with Transformers, many prefixes in one batch."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pav.models.errors import EngineError, InputError
from pav.models.hashing import uniforms
from pav.models.policy.decoding import sample_tokens
from pav.models.records import FinishReason, Generated, Generation
from pav.tasks.engine import slot_attention
from pav.tasks.engine.checkpoints import load_policy, load_tokenizer
from pav.tasks.engine.log_probs import log_probs
from pav.tasks.engine.prefill import Prefilled, Tokens, prefill
from pav.tasks.engine.rows import Indices, Rows
from pav.tasks.engine.slot_cache import SlotCache
from pav.tasks.engine.tokens import ends_step

# Rows of a decoding pass come in multiples of this.
ROW_STEP = 64


@dataclass(frozen=True)
class EngineSampling:
    """How a policy samples, and how much the engine decodes together."""

    temperature: float = 1.0
    top_p: float = 1.0
    batch_size: int = 512
    prefill_tokens: int = 16_384
    delimiter: str = "\n"


class TransformersEngine:
    """Continuous batching over a slot cache; each sample's noise comes from its own name."""

    def __init__(self, folder: Path, sampling: EngineSampling, *, device: str, dtype: str) -> None:
        self.version = 0
        self.sampling = sampling
        self._device, self._dtype = device, dtype
        self._waiting: deque[Generation] = deque()
        # Samples that have their first token and wait for a slot, and where they start.
        self._ready = Rows(0, 1)
        self._starts: dict[Tokens, Prefilled] = {}
        self._slots = Rows(0, 0)
        self.load_weights(folder)

    def load_weights(self, folder: Path) -> None:
        """Load a checkpoint folder; RuntimeError while anything is in flight."""
        if self._waiting or self._ready.active.any() or self._slots.active.any():
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
        self._slots = Rows(self.sampling.batch_size, self.context)
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
            if self._slots.active.any():
                finished += self._decode(self._num_rows())
        return finished

    def log_probs(self, sequences: Sequence[tuple[Tokens, int]]) -> list[float]:
        """Return how likely the policy is to sample each sequence's tokens from a place on."""
        sampling = self.sampling
        for ids, _ in sequences:
            if len(ids) > self.context:
                raise InputError(
                    f"sequence: expected at most the policy's context of {self.context} tokens, "
                    f"got {len(ids)}; shorten it or use a policy with more"
                )
        with torch.inference_mode():
            return log_probs(
                self.model, sequences, temperature=sampling.temperature, top_p=sampling.top_p,
                max_tokens=sampling.prefill_tokens,
            )  # fmt: skip

    def cancel(self, request_ids: Iterable[int]) -> None:
        """Drop requests, also those that are being decoded."""
        gone = set(request_ids)
        self._waiting = deque(item for item in self._waiting if item.request_id not in gone)
        self._ready.drop(gone)
        self._slots.drop(gone)

    def close(self) -> None:
        """Let go of the weights and the cache."""
        del self.model, self._cache, self._starts

    def _admit(self) -> list[Generated]:
        """Give free slots to samples that wait; return those that end with their first token."""
        finished: list[Generated] = []
        free = np.flatnonzero(~self._slots.active)
        while len(free) and (self._waiting or self._ready.active.any()):
            if not self._ready.active.any():
                finished += self._prefill()
            arrivals = np.flatnonzero(self._ready.active)[: len(free)]
            self._place(arrivals, free[: len(arrivals)])
            free = free[len(arrivals) :]
        return finished

    def _prefill(self) -> list[Generated]:
        """Run the prefixes of waiting requests; return the samples that end with one token.

        The requests are as many as one pass could hold. Most prefixes of a problem, which come in a
        row, begin one another, and the others find neighbours of their length.
        """
        group = [self._waiting.popleft()]
        num_tokens = len(group[0].token_ids)
        while self._waiting and num_tokens < self.sampling.prefill_tokens:
            group.append(self._waiting.popleft())
            num_tokens += len(group[-1].token_ids)
        self._starts = prefill(
            self.model, [item.token_ids for item in group], max_tokens=self.sampling.prefill_tokens
        )
        self._ready = Rows.starting(group)
        finished: list[Generated] = []
        for first in range(0, len(self._ready.active), self.sampling.batch_size):
            rows = np.arange(len(self._ready.active))[first : first + self.sampling.batch_size]
            starts = [self._start(generation) for generation in self._ready.generations[rows]]
            logits_BV = torch.stack([start.logits_V for start in starts])
            finished += self._advance(self._ready, rows, logits_BV)
        return finished

    def _start(self, generation: Generation) -> Prefilled:
        return self._starts[generation.token_ids]

    def _place(self, arrivals: Indices, slots: Indices) -> None:
        """Move arrivals into slots; those of one request start from the same keys and values."""
        self._slots.move(slots, self._ready, arrivals)
        places = zip(self._slots.generations[slots], slots.tolist(), strict=True)
        for _, group in groupby(places, key=lambda place: id(place[0])):
            members = list(group)
            start = self._start(members[0][0])
            self._cache.fill([slot for _, slot in members], start)

    def _num_rows(self) -> int:
        """Return how many rows to decode, after closing ranks where that makes them fewer.

        Only a few numbers of rows occur, as the CPU's kernels are compiled anew for each number.
        """
        slots, size = self._slots, self.sampling.batch_size
        rows = min(-(-int(slots.active.sum()) // ROW_STEP) * ROW_STEP, size)
        sources = rows + np.flatnonzero(slots.active[rows:])
        if len(sources):
            targets = np.flatnonzero(~slots.active[:rows])[: len(sources)]
            slots.move(targets, slots, sources)
            self._cache.move(torch.from_numpy(sources), torch.from_numpy(targets))
        return rows

    def _decode(self, num_rows: int) -> list[Generated]:
        """Decode one token of the first rows; return the samples that ended."""
        slots = self._slots
        active = np.flatnonzero(slots.active[:num_rows])
        # lengths counts the newest token, which is what this pass runs and writes.
        positions = np.where(slots.active, slots.lengths - 1, 0)[:num_rows]
        newest = slots.tokens[np.arange(num_rows), slots.produced[:num_rows] - 1]
        positions_B = torch.from_numpy(positions).to(self.model.device)
        self._cache.begin(positions_B, int(positions.max()))
        hidden = self.model.base_model(
            torch.from_numpy(newest).to(self.model.device)[:, None],
            attention_mask=self._cache.mask(),
            position_ids=positions_B[:, None],
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        logits_BV = self.model.get_output_embeddings()(hidden[:, 0])
        if len(active) < num_rows:
            logits_BV = logits_BV[torch.from_numpy(active).to(self.model.device)]
        return self._advance(slots, active, logits_BV)

    def _advance(self, rows: Rows, which: Indices, logits_BV: torch.Tensor) -> list[Generated]:
        """Sample a token for some rows; free and return those that ended."""
        produced = rows.produced[which]
        numbers = uniforms(rows.streams[which], rows.samples[which], produced.astype(np.uint64))
        tokens_B, log_probs_B = sample_tokens(
            logits_BV,
            torch.from_numpy(numbers).to(logits_BV.device),
            temperature=self.sampling.temperature,
            top_p=self.sampling.top_p,
        )
        tokens = tokens_B.cpu().numpy()
        rows.log_probs[which] += log_probs_B.cpu().numpy()
        stopped = self.ends_text[tokens]
        stepped = self._ends_step[tokens] & rows.until_step[which]
        # An end of text is a decision, not a token of the response.
        rows.tokens[which, produced] = tokens
        rows.produced[which] += ~stopped
        rows.lengths[which] += ~stopped
        full = (rows.produced[which] >= rows.limits[which]) | (rows.lengths[which] >= self.context)
        ended = stopped | stepped | full
        rows.active[which[ended]] = False
        reasons = np.select([stopped, stepped], ["stop", "step"], "length")[ended].tolist()
        return [
            _generated(rows, row, reason)
            for row, reason in zip(which[ended].tolist(), reasons, strict=True)
        ]


def _generated(rows: Rows, row: int, finish: FinishReason) -> Generated:
    tokens = rows.tokens[row, : rows.produced[row]].tolist()
    return Generated(
        rows.generations[row].request_id, int(rows.samples[row]), tuple(tokens), finish,
        float(rows.log_probs[row]),
    )  # fmt: skip


def _end_ids(model: object, tokenizer: object) -> list[int]:
    """Return the ids that end a response, by the model's generation settings and tokenizer."""
    listed = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = set(listed if isinstance(listed, list) else [] if listed is None else [listed])
    own = getattr(tokenizer, "eos_token_id", None)
    return sorted(ids | ({own} if own is not None else set()))
