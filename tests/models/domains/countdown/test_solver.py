from fractions import Fraction
from itertools import combinations_with_replacement, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.domains.countdown.hands import MOST_HANDS, hands
from pav.models.domains.countdown.moves import Number, State
from pav.models.domains.countdown.solver import is_solvable, legal_moves, paths

numbers = st.lists(st.integers(1, 13), min_size=2, max_size=4).map(sorted).map(tuple)
fractions = st.fractions(min_value=-12, max_value=12, max_denominator=6)
any_numbers = st.lists(fractions, min_size=1, max_size=3).map(sorted).map(tuple)


def values_by_brute_force(numbers: tuple[Fraction, ...]) -> set[Fraction]:
    """Every value that the numbers can be reduced to, tried pair by pair."""
    if len(numbers) == 1:
        return {numbers[0]}
    found: set[Fraction] = set()
    for a, b, *rest in permutations(numbers):
        results = [a + b, a - b, a * b] + ([a / b] if b else [])
        for result in results:
            found |= values_by_brute_force((result, *rest))
    return found


def test_1362_of_the_1820_hands_reach_24() -> None:
    hands_of_four = list(combinations_with_replacement(range(1, 14), 4))
    assert len(hands_of_four) == 1820
    assert sum(is_solvable(hand, 24) for hand in hands_of_four) == 1362


@pytest.mark.parametrize("hand", [(3, 3, 8, 8), (1, 5, 5, 5), (3, 3, 7, 7), (1, 3, 4, 6)])
def test_hands_that_need_fractions_are_solved(hand: tuple[int, ...]) -> None:
    solutions = list(paths(hand, 24))
    assert solutions
    assert all(
        any(isinstance(move.result, Fraction) for move in solution) for solution in solutions
    )


@pytest.mark.parametrize("hand", [(1, 1, 1, 1), (13, 13, 13, 13), (1, 6, 7, 7)])
def test_hands_known_to_have_no_solution_have_none(hand: tuple[int, ...]) -> None:
    assert not is_solvable(hand, 24)
    assert list(paths(hand, 24)) == []


def test_a_pair_has_six_moves_and_equal_numbers_four() -> None:
    moves = {f"{m.a} {m.op} {m.b} = {m.result}" for m in legal_moves((2, 3))}
    assert moves == {
        "3 + 2 = 5", "3 - 2 = 1", "2 - 3 = -1", "3 * 2 = 6", "3 / 2 = 3/2", "2 / 3 = 2/3",
    }  # fmt: skip
    assert [f"{m.a} {m.op} {m.b} = {m.result}" for m in legal_moves((4, 4))] == [
        "4 + 4 = 8", "4 - 4 = 0", "4 * 4 = 16", "4 / 4 = 1",
    ]  # fmt: skip


def test_nothing_is_divided_by_zero() -> None:
    divisions = [move for move in legal_moves((0, 5)) if move.op == "/"]
    assert [(move.a, move.b, move.result) for move in divisions] == [(0, 5, 0)]
    assert not any(move.op == "/" for move in legal_moves((0, 0)))


@given(any_numbers.filter(lambda hand: len(hand) > 1))
def test_a_legal_move_uses_two_numbers_and_conserves_the_others(hand: tuple[Fraction, ...]) -> None:
    for move in legal_moves(hand):
        rest: list[Number] = list(hand)
        rest.remove(move.a)
        rest.remove(move.b)
        assert list(move.left) == sorted([*rest, move.result])


@settings(deadline=None, max_examples=60)
@given(any_numbers, fractions)
def test_solvable_means_that_brute_force_finds_the_target(
    hand: tuple[Fraction, ...], target: Fraction
) -> None:
    found = values_by_brute_force(hand)
    assert is_solvable(hand, target) == (target in found)
    assert all(is_solvable(hand, value) for value in found)


@settings(deadline=None, max_examples=5)
@given(st.lists(st.integers(-6, 9), min_size=4, max_size=4).map(sorted).map(tuple))
def test_four_numbers_reach_exactly_what_brute_force_reaches(hand: tuple[int, ...]) -> None:
    found = values_by_brute_force(tuple(map(Fraction, hand)))
    for target in range(-30, 31):
        assert is_solvable(hand, target) == (target in found)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=5, max_size=6).map(sorted).map(tuple), st.data())
def test_five_and_six_numbers_reach_what_a_walk_of_legal_moves_ends_at(
    hand: tuple[int, ...], data: st.DataObject
) -> None:
    left: State = hand
    while len(left) > 1:
        left = data.draw(st.sampled_from(legal_moves(left))).left
    assert is_solvable(hand, left[0])


@pytest.mark.parametrize("hand", [(1, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1), (1, 1, 2, 2, 2, 2)])
def test_five_and_six_small_numbers_cannot_reach_997(hand: tuple[int, ...]) -> None:
    assert not is_solvable(hand, 997)


@settings(deadline=None, max_examples=40)
@given(numbers)
def test_paths_are_distinct_legal_and_end_at_the_target(hand: tuple[int, ...]) -> None:
    solutions = list(paths(hand, 24))
    assert bool(solutions) == is_solvable(hand, 24)
    assert len(set(solutions)) == len(solutions)
    for solution in solutions:
        left: State = hand
        for move in solution:
            assert move in legal_moves(left)
            left = move.left
        assert left == (24,)


@settings(deadline=None, max_examples=40)
@given(numbers, st.integers(0, 60))
def test_a_reachable_target_needs_no_negative_number(hand: tuple[int, ...], target: int) -> None:
    solution = next(paths(hand, target, non_negative=True), None)
    assert (solution is not None) == is_solvable(hand, target)
    assert solution is None or all(move.result >= 0 for move in solution)


def test_few_hands_are_all_listed_and_many_are_drawn_within_bounds() -> None:
    assert len(hands(highest=13, num_numbers=4)) == 1820
    drawn = hands(highest=100, num_numbers=6)
    assert len(set(drawn)) == len(drawn) == MOST_HANDS
    assert drawn == hands(highest=100, num_numbers=6)
    assert all(list(hand) == sorted(hand) and 1 <= hand[0] <= hand[-1] <= 100 for hand in drawn)
    assert len(hands(highest=13, num_numbers=5)) == MOST_HANDS
