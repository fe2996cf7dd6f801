"""The one place that turns steps into token ids and back, with fixed ids at step boundaries."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pav.models.domains import Domain
from pav.models.records import Generated, Prefix, Problem, Sample


def ends_step(tokenizer: Any, delimiter: str) -> NDArray[np.bool_]:
    """Tell of every token id of a tokenizer whether its text holds the step delimiter.

    None does where the delimiter is empty: such steps are found in the whole text.
    """
    texts = tokenizer.batch_decode([[index] for index in range(len(tokenizer))])
    return np.array([bool(delimiter) and delimiter in text for text in texts])


class Codec:
    """Encodes each step on its own, so that a prefix's ids begin those of all that follow it."""

    def __init__(self, tokenizer: Any, domain: Domain, problems: Mapping[str, Problem]) -> None:
        self.tokenizer = tokenizer
        self._domain = domain
        self._problems = problems
        self._ids: dict[str, tuple[int, ...]] = {}
        self._texts: dict[tuple[int, ...], str] = {}
        # A set of ints: looking up one id in an array takes several times longer.
        self._step_ends = set(np.flatnonzero(ends_step(tokenizer, domain.delimiter)).tolist())
        self._end_id = (int(tokenizer.eos_token_id),)

    def encode(self, prefix: Prefix) -> tuple[int, ...]:
        """Return the ids of the prompt and of every step, then end-of-text if it is finished."""
        prompt = self._domain.prompt(self._problems[prefix.problem_id])
        ids = [*self._encode_text(prompt)]
        for step in prefix.steps:
            ids.extend(self._encode_text(step))
        return (*ids, *self._end_id) if prefix.is_finished else tuple(ids)

    def num_prompt_tokens(self, prefix: Prefix) -> int:
        """Return the number of tokens of the bare problem's prompt."""
        return len(self._encode_text(self._domain.prompt(self._problems[prefix.problem_id])))

    def prompts(self, problem: Problem) -> tuple[tuple[int, ...], ...]:
        """Return the ids of every prompt that asks a problem, the given one first."""
        asked = self._domain.rephrasings(problem)
        return tuple(self._encode_text(self._domain.prompt(each)) for each in asked)

    def encode_with_ends(self, prefix: Prefix) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the ids and the index of the last token of the prompt and of every step."""
        prompt = self._domain.prompt(self._problems[prefix.problem_id])
        ids = [*self._encode_text(prompt)]
        ends = [len(ids) - 1]
        for step in prefix.steps:
            ids.extend(self._encode_text(step))
            ends.append(len(ids) - 1)
        if not prefix.is_finished:
            return tuple(ids), tuple(ends)
        # The end of text belongs to the last step: only there is the response known to be whole.
        return (*ids, *self._end_id), (*ends[:-1], len(ids))

    def sample(self, generated: Generated, before: tuple[str, ...] = ()) -> Sample:
        """Cut generated ids into steps after each token that holds the delimiter.

        Without a delimiter the domain cuts the text, which goes on from the steps `before` it.
        """
        ids = generated.token_ids
        if not self._domain.delimiter:
            steps = self._continued(before, self._decode(ids))
            return Sample(steps, generated.finish, len(ids), generated.log_prob)
        cuts = [i for i, token in enumerate(ids, start=1) if token in self._step_ends]
        bounds = [0, *cuts] if cuts and cuts[-1] == len(ids) else [0, *cuts, len(ids)]
        steps = tuple(self._decode(ids[a:b]) for a, b in itertools.pairwise(bounds))
        whole = tuple(filter(None, steps))
        return Sample(whole, generated.finish, len(ids), generated.log_prob)

    def _continued(self, before: tuple[str, ...], text: str) -> tuple[str, ...]:
        """Return the steps of a text that goes on from others, which stay as they are."""
        whole = self._domain.split_steps("".join(before) + text)
        is_clean = whole[: len(before)] == before
        return whole[len(before) :] if is_clean else self._domain.split_steps(text)

    def _encode_text(self, text: str) -> tuple[int, ...]:
        if text not in self._ids:
            self._ids[text] = tuple(self.tokenizer.encode(text, add_special_tokens=False))
        return self._ids[text]

    def _decode(self, ids: tuple[int, ...]) -> str:
        if ids not in self._texts:
            self._texts[ids] = self.tokenizer.decode(
                ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        return self._texts[ids]
