"""The one place that turns steps into token ids and back, with fixed ids at step boundaries."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pav.models.domains import Domain
from pav.models.records import Generated, Prefix, Problem, Sample


def ends_step(tokenizer: Any, delimiter: str) -> NDArray[np.bool_]:
    """Tell of every token id of a tokenizer whether its text holds the step delimiter.

    With an empty delimiter no token does, since the domain cuts the whole text into steps.
    """
    texts = tokenizer.batch_decode([[index] for index in range(len(tokenizer))])
    return np.array([bool(delimiter) and delimiter in text for text in texts])


def joined_with_ends(
    pieces: Sequence[tuple[int, ...]], *, end: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids of a prompt and its steps, and the index of the last one of each piece.

    `end` belongs to the last piece: only there is a finished response known to be whole.
    """
    whole = [*pieces[:-1], pieces[-1] + end]
    lengths = itertools.accumulate(map(len, whole))
    return tuple(itertools.chain(*whole)), tuple(length - 1 for length in lengths)


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

    def encode_responses(self, responses: Iterable[Sequence[str]]) -> list[tuple[int, ...]]:
        """Return the ids of finished responses, given as steps, without a prompt.

        All are encoded in one call, which is many times faster, and nothing is kept of them.
        """
        given = list(responses)
        texts = list({step for steps in given for step in steps})
        encoded = self.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
        ids = dict(zip(texts, encoded, strict=True))
        whole = (itertools.chain.from_iterable(ids[step] for step in steps) for steps in given)
        return [(*response, *self._end_id) for response in whole]

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
        pieces = [self._encode_text(text) for text in (prompt, *prefix.steps)]
        return joined_with_ends(pieces, end=self._end_id if prefix.is_finished else ())

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
