import pytest

from pav.models import splits

LAST = (1 << 64) - 1


@pytest.mark.parametrize(("place", "expected"), [
    (0, "test"), ((1 << 64) * 262 // 1362 - 1, "test"), ((1 << 64) * 262 // 1362, "validation"),
    ((1 << 64) * 362 // 1362 - 1, "validation"), ((1 << 64) * 362 // 1362, "train"),
    (LAST, "train"),
])  # fmt: skip
def test_the_split_of_a_problem_is_where_its_hash_lies(monkeypatch, place, expected):
    monkeypatch.setattr(splits, "place", lambda key: place)
    assert splits.hash_split("any") == expected


def test_the_split_of_a_problem_never_moves():
    found = [splits.hash_split(f"1 2 3 {number}") for number in range(1, 9)]
    assert found == [
        "train", "validation", "validation", "train", "train", "validation", "train", "train",
    ]  # fmt: skip


def test_every_split_that_a_hash_gives_is_a_split_and_no_other_is():
    assert {splits.hash_split(str(number)) for number in range(200)} == set(splits.SPLITS)
