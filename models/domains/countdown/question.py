"""A hand's numbers and target as text: what a problem of countdown may be."""

from functools import lru_cache

from pav.models.domains.countdown.moves import Number, State
from pav.models.domains.countdown.text import parse_number
from pav.models.errors import InputError, shown

FEWEST_NUMBERS = 2
MOST_NUMBERS = 6
HIGHEST_NUMBER = 10_000
HIGHEST_TARGET = 1_000_000


def parse_question(question: str) -> tuple[int, ...]:
    """Return the numbers of a hand in their order; InputError says what is wrong."""
    expected = (
        f"question: expected {FEWEST_NUMBERS} to {MOST_NUMBERS} whole numbers from 1 to "
        f"{HIGHEST_NUMBER}, separated by spaces or commas, got {shown(question)}"
    )
    words = question.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) <= 6 for word in words):
        raise InputError(expected)
    numbers = tuple(map(int, words))
    is_sane = all(1 <= number <= HIGHEST_NUMBER for number in numbers)
    if not is_sane or not FEWEST_NUMBERS <= len(numbers) <= MOST_NUMBERS:
        raise InputError(expected)
    return numbers


def parse_target(answer: str) -> Number:
    """Return the target; InputError says what is wrong."""
    try:
        target = parse_number(answer.strip())
    except ValueError as error:
        raise InputError(f"answer: {error}") from None
    if not -HIGHEST_TARGET <= target <= HIGHEST_TARGET:
        raise InputError(
            f"answer: expected a target from -{HIGHEST_TARGET} to {HIGHEST_TARGET}, got "
            f"{shown(answer)}"
        )
    return target


def numbers_of(question: str) -> tuple[int, ...]:
    """Return the numbers of a checked question in their order."""
    return tuple(int(number) for number in question.replace(",", " ").split())


@lru_cache(maxsize=1 << 14)
def hand_of(question: str) -> State:
    """Return the numbers of a checked question, ascending."""
    return tuple(sorted(numbers_of(question)))


@lru_cache(maxsize=1 << 12)
def target_of(answer: str) -> Number:
    """Return the target of a checked answer."""
    return parse_number(answer)
