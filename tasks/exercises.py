"""Exercises of the embedded policy as token ids: prompts, and the responses to each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pav.models.domains import Domain, domain
from pav.models.embedded import MAX_POSITIONS
from pav.models.errors import InputError
from pav.models.hashing import stream_key
from pav.models.records import Prefix, Problem
from pav.tasks.tokens import Codec

Tokens = tuple[int, ...]
# No hand of four numbers has more solutions; larger hands are drawn.
MOST_DEMONSTRATIONS = 128
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


def corpora(
    domain_name: str, problems: Iterable[Problem], tokenizer: Any
) -> tuple[Corpus, Corpus | None]:
    """Return exercises made of the training problems, and the validation problems as they are.

    InputError where no training problem has a solution; None where no validation problem has.
    """
    by_split: dict[str, list[Problem]] = {"train": [], "validation": [], "test": []}
    for problem in problems:
        by_split[problem.split].append(problem)
    held_out = [*by_split["validation"], *by_split["test"]]
    exercises = make_exercises(domain_name, by_split["train"], held_out)
    train = build_corpus(domain_name, exercises, tokenizer)
    if train is None:
        raise InputError(
            "problems: the embedded policy learns from solved training problems, got none among "
            f"{len(by_split['train'])}; give some, or set prepare.base, prepare.weak and "
            "prepare.strong to checkpoint folders"
        )
    return train, build_corpus(domain_name, by_split["validation"], tokenizer)


def make_exercises(
    domain_name: str, problems: Sequence[Problem], held_out: Sequence[Problem]
) -> list[Problem]:
    """Return the exercises of all problems, without any that is one of those held out."""
    forbidden = {problem.canonical_key for problem in held_out}
    family = domain(domain_name)
    everything = [each for problem in problems for each in family.exercises(problem)]
    return [each for each in everything if each.canonical_key not in forbidden]


def build_corpus(domain_name: str, problems: Sequence[Problem], tokenizer: Any) -> Corpus | None:
    """Return problems with their demonstrations as token ids; None where no problem has any."""
    family = domain(domain_name)
    codec = Codec(tokenizer, family, {problem.problem_id: problem for problem in problems})
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.canonical_key, []).append(problem)
    encoded = [_encode_group(codec, family, members) for members in groups.values()]
    solved = [(prompts, responses) for prompts, responses in encoded if responses]
    if not solved:
        return None
    group_of_prompt = [group for group, (prompts, _) in enumerate(solved) for _ in prompts]
    nums = torch.tensor([len(responses) for _, responses in solved])
    return Corpus(
        [prompt for prompts, _ in solved for prompt in prompts],
        torch.tensor(group_of_prompt),
        [response for _, responses in solved for response in responses],
        nums.cumsum(0) - nums,
        nums,
        int(tokenizer.pad_token_id),
    )


def _encode_group(
    codec: Codec, family: Domain, members: Sequence[Problem]
) -> tuple[list[Tokens], list[Tokens]]:
    """Return the prompts of one problem asked in several ways, and its responses without them."""
    prompts = [codec.encode(Prefix(member.problem_id)) for member in members]
    name = members[0].problem_id
    paths = family.demonstrations(members[0], limit=MOST_DEMONSTRATIONS, seed=0)
    responses = [
        codec.encode(Prefix(name, tuple(path), is_finished=True))[len(prompts[0]) :]
        for path in paths
    ]
    _check_length(max(map(len, prompts)) + max(map(len, responses), default=0))
    return prompts, responses


def _check_length(longest: int) -> None:
    if longest > MAX_POSITIONS:
        raise InputError(
            f"problems: expected demonstrations of at most {MAX_POSITIONS} tokens, the embedded "
            f"policy's context, got one of {longest}; use smaller numbers, or set prepare.base, "
            "prepare.weak and prepare.strong to checkpoint folders"
        )
