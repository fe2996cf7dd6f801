"""What an embedded policy is trained on: prompts as token ids, and the responses to each."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pav.models.hashing import stream_key

Tokens = tuple[int, ...]
# The target of a token that is not to be predicted.
IGNORED = -100


@dataclass(frozen=True)
class Corpus:
    """Exercises as token ids; those that differ only in how they are shown share their responses.

    Exercise e belongs to group `group_of_prompt[e]`, whose responses are the `num_of_group` ones
    from `first_of_group` on.
    """

    prompts: list[Tokens]
    group_of_prompt: torch.Tensor
    responses: list[Tokens]
    first_of_group: torch.Tensor
    num_of_group: torch.Tensor
    pad: int

    def batch(self, size: int, *, seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs and targets (B, T) of a step: exercises drawn evenly, a response of each.

        A function of (seed, step) alone, so a resumed training meets the same batches.
        """
        generator = torch.Generator().manual_seed(stream_key("pretrain", seed, step) >> 1)
        exercises = torch.randint(len(self.prompts), (size,), generator=generator)
        shares = torch.rand(size, generator=generator, dtype=torch.float64)
        groups = self.group_of_prompt[exercises]
        rows = self.first_of_group[groups] + (shares * self.num_of_group[groups]).long()
        chosen = zip(exercises.tolist(), rows.tolist(), strict=True)
        return pad_pairs([(self.prompts[e], self.responses[row]) for e, row in chosen], self.pad)


def pad_pairs(
    pairs: Sequence[tuple[Tokens, Tokens]], pad: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets (B, T) of prompts with a response each; a prompt is no target."""
    longest = max(len(prompt) + len(response) for prompt, response in pairs) - 1
    inputs = torch.full((len(pairs), longest), pad)
    targets = torch.full((len(pairs), longest), IGNORED)
    for row, (prompt, response) in enumerate(pairs):
        ids = prompt + response
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, len(prompt) - 1 : len(ids) - 1] = torch.tensor(response)
    return inputs, targets
