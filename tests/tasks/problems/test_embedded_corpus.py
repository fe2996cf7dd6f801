"""What shipped configs train the embedded policy on, held to the bytes it always was."""

import json
from dataclasses import asdict
from hashlib import sha256

import pytest

from pav.flows.settings_file import load_settings
from pav.models.policy.embedded import build_tokenizer
from pav.models.records import Problem
from pav.tasks.prepare.exercises import corpora, demonstrations, known_lessons, make_exercises
from pav.tasks.problems.embedded import embedded_problems
from pav.tasks.problems.plan import embedded_work, plan_problems


def shortened(rows: object) -> str:
    return sha256(json.dumps(rows).encode()).hexdigest()[:16]


def problems_of(config: str) -> list[Problem]:
    return embedded_problems(embedded_work(load_settings(config)), progress=lambda *_: None)


def exercises_of(problems: list[Problem]) -> list[Problem]:
    train = [each for each in problems if each.split == "train"]
    held_out = [each for each in problems if each.split != "train"]
    return list(make_exercises("countdown", train, held_out))


def demonstrated(exercises: list[Problem]) -> list[object]:
    """Each exercise that is asked in another way only once, with all its demonstrations."""
    first = {each.canonical_key: each for each in reversed(exercises)}
    lessons = known_lessons("countdown")
    return [
        [each.problem_id, demonstrations(lessons, each, is_given=False)]
        for each in exercises
        if first[each.canonical_key] is each
    ]


@pytest.mark.parametrize(
    ("config", "unit_id", "content"),
    [
        ("quickstart", "problems-5a8376c0c3e536a4e1ba", "aa7ea6742b5495fc"),
        ("smoke", "problems-3203d6bbd0f276e0c591", "a8363e28b65bbf89"),
        ("full", "problems-6e7814a383c1b1580777", "1f89934ca9dfed2d"),
    ],
)
def test_the_shipped_problems_and_their_unit_are_those_of_every_store(
    config: str, unit_id: str, content: str
) -> None:
    assert plan_problems(load_settings(config)).unit_id == unit_id
    assert shortened([asdict(each) for each in problems_of(config)]) == content


def test_smoke_trains_on_the_demonstrations_it_always_did() -> None:
    exercises = exercises_of(problems_of("smoke"))
    assert shortened([asdict(each) for each in exercises]) == "d58efbad82433013"
    assert shortened(demonstrated(exercises)) == "62d616c776a616c6"


def test_the_batches_of_smoke_are_the_token_ids_they_always_were() -> None:
    train, held_out = corpora(
        "countdown", problems_of("smoke"), build_tokenizer(), tell=lambda _: None
    )
    assert held_out is not None
    batches = [each.batch(64, seed=0, step=7) for each in (train, held_out)]
    ids = [table.tolist() for batch in batches for table in batch]
    assert shortened(ids) == "d1c44a2cf577b4c2"
    sizes = [len(each.prompts) for each in (train, held_out)]
    assert sizes == [1081, 22]


def test_hands_of_four_numbers_keep_their_demonstrations() -> None:
    problems = problems_of("quickstart")
    train = [each for each in problems if each.split == "train"][:20]
    held_out = [each for each in problems if each.split != "train"]
    exercises = list(make_exercises("countdown", train, held_out))
    assert shortened([asdict(each) for each in exercises]) == "73f4d6879470f035"
    assert shortened(demonstrated(exercises)) == "10f555bafe93c0ae"


@pytest.mark.slow
def test_quickstart_trains_on_the_demonstrations_it_always_did() -> None:
    exercises = exercises_of(problems_of("quickstart"))
    assert shortened([asdict(each) for each in exercises]) == "b5504be8a0c717b1"
    assert shortened(demonstrated(exercises)) == "ab61acfa94e54782"
