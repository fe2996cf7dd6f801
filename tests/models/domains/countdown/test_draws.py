"""The fast solver against the one that lists moves and sets of exact values."""

from collections import Counter
from fractions import Fraction
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.domains.countdown.draws import drawn_paths, reaches
from pav.models.domains.countdown.formulas import Formulas
from pav.models.domains.countdown.moves import Number, Path, State, apply
from pav.models.domains.countdown.search import is_exact, tables
from pav.models.domains.countdown.solver import is_listed, is_searched, is_solvable, paths
from pav.models.domains.countdown.trees import Writer

EVERYTHING = 1_000_000
hands = st.lists(st.integers(1, 9), min_size=2, max_size=4).map(sorted).map(tuple)
fractions = st.fractions(min_value=-6, max_value=6, max_denominator=4)
states = st.lists(fractions, min_size=2, max_size=4).map(sorted).map(tuple)


def shown(hand: State, target: Number, *, limit: int = EVERYTHING, seed: int = 0) -> list[Path]:
    return drawn_paths(hand, target, limit=limit, random=Random(seed))


@settings(deadline=None, max_examples=80)
@given(hands, st.integers(-9, 40))
def test_all_paths_are_those_that_listing_moves_finds(hand: State, target: int) -> None:
    found = shown(hand, target)
    assert len(set(found)) == len(found)
    assert set(found) == set(paths(hand, target, non_negative=target >= 0))


@pytest.mark.parametrize(
    ("hand", "target"),
    [
        ((2, 2, 3, 3), 0),
        ((1, 1, 1, 1), 0),
        ((4, 4, 5, 7), 0),
        ((2, 2, 3, 5), -4),
        ((3, 3, 8, 8), 24),
    ],
)
def test_paths_through_zero_fractions_and_negative_numbers_are_all_found(
    hand: State, target: int
) -> None:
    assert set(shown(hand, target)) == set(paths(hand, target, non_negative=target >= 0))


@pytest.mark.parametrize(
    ("hand", "target"), [((1, 1, 1, 1, 5), 24), ((7, 7, 7, 7, 7), 5), ((2, 9, 9, 11, 13), 29)]
)
def test_all_paths_of_five_numbers_are_those_that_listing_moves_finds(
    hand: State, target: int
) -> None:
    assert set(shown(hand, target)) == set(paths(hand, target, non_negative=True))


@settings(deadline=None, max_examples=80)
@given(states, fractions)
def test_a_state_reaches_what_sets_of_exact_values_hold(state: State, target: Fraction) -> None:
    assert reaches(state, target) == is_listed(state, target)


@pytest.mark.parametrize(
    ("state", "target", "is_reached"),
    [
        ((0, 5), 0, True),
        ((0, 5), 6, False),
        ((0, 2, 7), 50, False),
        ((0, 2, 7), 14, True),
        ((0, 2, 3, 17, 40, 101), 0, True),
        ((0, 0, 0, 0, 0, 7), 7, True),
        ((0, 0, 0, 0, 0, 7), 8, False),
        ((-3, 0, 0, 0, 0, 0), -3, True),
        ((-3, 0, 0, 0, 0, 0), 4, False),
    ],
)
def test_a_state_with_zeros_reaches_what_sets_of_exact_values_hold(
    state: State, target: int, is_reached: bool
) -> None:
    assert reaches(state, target) == is_listed(state, target) == is_reached


@settings(deadline=None, max_examples=4)
@given(st.lists(st.integers(1, 13), min_size=5, max_size=5).map(sorted).map(tuple), st.data())
def test_five_numbers_reach_what_sets_of_exact_values_hold(
    hand: State, data: st.DataObject
) -> None:
    for target in data.draw(st.lists(st.integers(0, 2000), min_size=3, max_size=3)):
        assert reaches(hand, target) == is_listed(hand, target)


@pytest.mark.parametrize(
    ("hand", "target", "is_reached"),
    [
        ((1, 3, 7, 10, 25, 50), 765, True),
        ((1, 1, 2, 2, 2, 2), 997, False),
        ((1, 1, 1, 1, 1, 1), 9, True),
        ((1, 1, 1, 1, 1, 1), 10, False),
        ((1, 1, 1, 1, 1, 1), Fraction(5, 2), True),
        ((1, 1, 1, 1, 1, 1), Fraction(9, 2), False),
        ((1, 1, 1, 1, 1, 1), -5, True),
        ((1, 1, 1, 1, 1, 1), -8, False),
    ],
)
def test_six_numbers_reach_what_sets_of_exact_values_hold(
    hand: State, target: Number, is_reached: bool
) -> None:
    assert reaches(hand, target) == is_reached
    assert is_listed(hand, target) == is_reached


def joined(x: Number, y: Number) -> list[Number]:
    """What two numbers give without going below 0; of two equal numbers one quotient counts."""
    low, high = sorted([x, y])
    found = [apply(x, "+", y), apply(high, "-", low), apply(x, "*", y)]
    found += [apply(x, "/", y)] if y else []
    return found + ([apply(y, "/", x)] if x and x != y else [])


def counted(hand: State) -> Counter[Number]:
    """How many formulas, with equal numbers told apart, give each value of a hand."""
    counts: dict[tuple[int, ...], Counter[Number]] = {}
    for size in range(1, len(hand) + 1):
        for part in combinations(range(len(hand)), size):
            counts[part] = Counter([hand[part[0]]] if size == 1 else [])
            for small in range(1, size):
                for one in combinations(part, small):
                    if part[0] in one:
                        other = tuple(each for each in part if each not in one)
                        for x, number in counts[one].items():
                            for y, times in counts[other].items():
                                for value in joined(x, y):
                                    counts[part][value] += number * times
    return counts[tuple(range(len(hand)))]


@pytest.mark.parametrize("hand", [(1, 2, 3, 4, 5), (1, 1, 2, 2, 2, 2), (1, 1, 1, 3, 3, 3)])
def test_there_are_as_many_formulas_as_counting_by_value_says(hand: State) -> None:
    counts = counted(hand)
    of = tables(hand, is_signed=False)
    for target in (0, 1, 2, 3, 7, 12, Fraction(3, 2), 24, 1001):
        assert Formulas(of, list(of.making(target))).total == counts[target], target


def test_drawn_paths_are_distinct_as_many_as_asked_for_and_depend_on_the_seed_alone() -> None:
    hand = (1, 5, 7, 10, 12, 13)
    drawn = shown(hand, 24, limit=16)
    assert len(set(drawn)) == len(drawn) == 16
    assert drawn == shown(hand, 24, limit=16)
    assert drawn != shown(hand, 24, limit=16, seed=1)


def test_where_fewer_paths_than_asked_for_differ_all_are_given() -> None:
    hand = (7, 7, 7, 7, 7)
    everything = shown(hand, 5)
    assert 0 < len(everything) < 16
    assert set(shown(hand, 5, limit=16)) == set(everything)
    assert shown(hand, 997, limit=16) == []


def test_each_formula_is_as_likely_as_any_other_and_so_is_each_order_of_its_lines() -> None:
    hand, num_draws = (1, 2, 4, 8), 600
    of = tables(hand, is_signed=False)
    formulas = Formulas(of, list(of.making(15)))
    expected: Counter[Path] = Counter()
    for tree in formulas.trees(range(formulas.total)):
        orders = list(Writer(hand, is_signed=False).every_path(tree))
        expected.update(dict.fromkeys(orders, num_draws / formulas.total / len(orders)))
    firsts = Counter(shown(hand, 15, limit=1, seed=seed)[0] for seed in range(num_draws))
    assert set(firsts) <= set(expected)
    assert len(set(expected.values())) > 1
    chi_square = sum((firsts[path] - mean) ** 2 / mean for path, mean in expected.items())
    # Its mean is the degrees of freedom, its variance twice as much.
    freedom = len(expected) - 1
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5


def test_numbers_too_large_for_exact_arrays_are_solved_by_sets_of_exact_values() -> None:
    large = (9_973, 9_967, 9_949, 9_941, 9_931)
    assert not is_exact(large, 24)
    assert not is_searched(tuple(sorted(large)), 24)
    assert is_exact((1, 2, 3, 4, 5, 6), 1_000_000)
    assert not is_searched((1, 2, 3, 4), 24)
    assert is_solvable(tuple(sorted(large)), 9_973 + 9_967 - 9_949 - 9_941 + 9_931)


def test_values_that_only_float_quotients_hold_equal_are_told_apart() -> None:
    first = 94_906_261
    target = Fraction(first + 2, first + 1)
    assert float(target) == float(Fraction(first + 1, first))
    hand = (1, first, first + 1)
    assert reaches(hand, Fraction(first + 1, first))
    assert not reaches(hand, target)
    assert shown(hand, target) == []
