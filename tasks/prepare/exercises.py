"""Exercises of the embedded policy, made of problems and told as token ids."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch

from pav.models.domains import domain, lessons_of
from pav.models.domains.kind import Lessons
from pav.models.errors import InputError
from pav.models.policy.corpus import Corpus, Tokens
from pav.models.policy.embedded import MAX_POSITIONS
from pav.models.records import Prefix, Problem
from pav.tasks.engine.tokens import Codec

# No hand of four numbers has more solutions. Of larger hands so many are drawn, and fewer of each
# made of another problem: nine exercises ask for a problem's own answer, one for each other one.
MOST_DEMONSTRATIONS = 128
NUM_DRAWN = 16
NUM_DRAWN_OF_OTHERS = 4
Tell = Callable[[str], None]


def corpora(
    domain_name: str, problems: Iterable[Problem], tokenizer: Any, *, tell: Tell
) -> tuple[Corpus, Corpus | None]:
    """Return exercises made of the training problems, and the validation problems as they are.

    InputError where no training problem has a solution; None where no validation problem has.
    """
    by_split: dict[str, list[Problem]] = {"train": [], "validation": [], "test": []}
    for problem in problems:
        by_split[problem.split].append(problem)
    held_out = [*by_split["validation"], *by_split["test"]]
    exercises = make_exercises(domain_name, _told(by_split["train"], "training", tell), held_out)
    train = build_corpus(domain_name, exercises, tokenizer, given=by_split["train"])
    if train is None:
        raise InputError(
            "problems: the embedded policy learns from solved training problems, got none among "
            f"{len(by_split['train'])}; give some, or set the "
            "path of every policy of prepare.policies"
        )
    validation = _told(by_split["validation"], "validation", tell)
    given = by_split["validation"]
    return train, build_corpus(domain_name, validation, tokenizer, given=given)


def _told(problems: Sequence[Problem], split: str, tell: Tell) -> Iterator[Problem]:
    """Yield the problems, and report each before its exercises are made."""
    for number, problem in enumerate(problems, start=1):
        tell(f"demonstrations of {split} problem {number:,} of {len(problems):,}")
        yield problem


def make_exercises(
    domain_name: str, problems: Iterable[Problem], held_out: Sequence[Problem]
) -> Iterator[Problem]:
    """Yield the exercises of all problems, without any that is one of those held out."""
    forbidden = {problem.canonical_key for problem in held_out}
    lessons = known_lessons(domain_name)
    for problem in problems:
        for exercise in lessons.exercises(problem):
            if exercise.canonical_key not in forbidden:
                yield exercise


def build_corpus(
    domain_name: str, problems: Iterable[Problem], tokenizer: Any, *, given: Iterable[Problem]
) -> Corpus | None:
    """Return problems with their demonstrations as token ids; None where no problem has any.

    Those that are made of the given ones need fewer. Each problem is demonstrated as it comes:
    what was found out for its exercises is at hand then.
    """
    lessons = known_lessons(domain_name)
    own = {problem.canonical_key for problem in given}
    known: dict[str, Problem] = {}
    codec = Codec(tokenizer, domain(domain_name), known)
    groups: dict[str, tuple[list[Tokens], list[Tokens]]] = {}
    for problem in problems:
        known[problem.problem_id] = problem
        key = problem.canonical_key
        if key not in groups:
            paths = demonstrations(lessons, problem, is_given=key in own)
            groups[key] = [], codec.encode_responses(paths)
        prompts, responses = groups[key]
        prompts.append(codec.encode(Prefix(problem.problem_id)))
        _check_length(len(prompts[-1]) + max(map(len, responses), default=0))
    return _corpus([group for group in groups.values() if group[1]], tokenizer)


def demonstrations(
    lessons: Lessons, problem: Problem, *, is_given: bool
) -> Sequence[tuple[str, ...]]:
    """Return the responses that an exercise is answered with."""
    num_drawn = NUM_DRAWN if is_given else NUM_DRAWN_OF_OTHERS
    return lessons.demonstrations(problem, limit=MOST_DEMONSTRATIONS, num_drawn=num_drawn, seed=0)


def known_lessons(domain_name: str) -> Lessons:
    """Return what the embedded policy learns a domain from; InputError where there is nothing."""
    if lessons := lessons_of(domain_name):
        return lessons
    raise InputError(
        f"problems.domain: expected a domain with demonstrations, got {domain_name!r}; set "
        "the path of every policy of prepare.policies"
    )


def _corpus(groups: list[tuple[list[Tokens], list[Tokens]]], tokenizer: Any) -> Corpus | None:
    if not groups:
        return None
    group_of_prompt = [group for group, (prompts, _) in enumerate(groups) for _ in prompts]
    nums = torch.tensor([len(responses) for _, responses in groups])
    return Corpus(
        [prompt for prompts, _ in groups for prompt in prompts],
        torch.tensor(group_of_prompt),
        [response for _, responses in groups for response in responses],
        nums.cumsum(0) - nums,
        nums,
        int(tokenizer.pad_token_id),
    )


def _check_length(longest: int) -> None:
    if longest > MAX_POSITIONS:
        raise InputError(
            f"problems: expected demonstrations of at most {MAX_POSITIONS} tokens, the embedded "
            f"policy's context, got one of {longest}; use smaller numbers, or set the "
            "path of every policy of prepare.policies"
        )
