import numpy as np
import pytest

from pav.models.errors import InputError
from pav.models.planners.binary_search import binary_search
from pav.models.planners.blocks import Block
from pav.models.planners.exhaustive import exhaustive, listed
from pav.models.planners.first_pit import PitBudget, first_pit
from pav.models.planners.replay import Pool, replay, replay_budget
from pav.models.records import Prefix

ROOT, A, AB = Prefix("p"), Prefix("p", ("a\n",)), Prefix("p", ("a\n", "b\n"))


def pool(*right, size=2):
    return Pool((ROOT, A, AB), np.array(right, dtype=np.int64), size)


def test_a_planner_sees_the_blocks_that_were_drawn_and_pays_for_each_once():
    played = replay(
        pool([2, 1, 0], [1, 0, 0], [0, 0, 0]),
        [exhaustive([ROOT, A], (0, 1)), exhaustive([ROOT, AB], (0,))],
    )
    correct, rollouts = played.labels()
    assert (correct.tolist(), rollouts.tolist()) == ([3, 1, 0], [4, 4, 2])
    assert played.num_rollouts.tolist() == [4, 4, 2]
    assert played.values().tolist() == [0.75, 0.25, 0.0]


def test_a_label_is_all_that_was_drawn_whichever_rule_asked_for_it():
    played = replay(
        pool([2, 0], [0, 1], [0, 0]),
        [listed([Block(A, 0, "search"), Block(A, 1, "fresh"), Block(ROOT, 0, "search")])],
    )
    correct, rollouts = played.labels()
    assert (correct.tolist(), rollouts.tolist()) == ([2, 1, 0], [2, 4, 0])
    assert played.num_rollouts.tolist() == [2, 4, 0]


def test_a_prefix_behind_a_pit_is_dead_even_if_fresh_rollouts_revive_the_pit(solution):
    # Piloted by 2 right, a found dead by 0 of 2; a's fresh block has one right of two.
    played = replay(
        pool([2, 0, 2], [0, 1, 2], [2, 2, 2]),
        [first_pit(solution("abx"), high_value=0.0, budget=PitBudget(1, 1, 1, 1))],
    )
    assert played.returned[0].steps == A.steps
    assert played.values().tolist() == [0.5, 0.25, 0.0]


def test_a_prefix_that_was_passed_over_takes_the_value_before_it(solution):
    # Of four open prefixes the search asks for the third: alive; then its last step is the error.
    prefixes = tuple(solution("abcd").prefixes)
    played = replay(
        Pool(prefixes, np.array([[1], [0], [2], [2]], dtype=np.int64), 2),
        [binary_search(solution("abcd"), num_blocks=1, fresh_blocks=0)],
    )
    assert played.returned == [None]
    assert played.values().tolist() == [0.5, 0.5, 1.0, 1.0]


def test_the_first_dead_prefix_of_a_solution_is_told_from_all_of_its_blocks(solution):
    drawn = pool([1, 0], [0, 1], [0, 0])
    played = replay(drawn, [exhaustive([ROOT, A, AB], (0,))])
    assert played.first_dead([solution("abx"), solution("a")]) == [1, 1]
    played = replay(drawn, [exhaustive([ROOT, A, AB], (0, 1))])
    assert played.first_dead([solution("abx")]) == [2]


def test_shuffling_keeps_each_prefix_its_blocks():
    drawn = pool(list(range(3)), [0, 0, 1], [2, 2, 2])
    others = [drawn.shuffled(seed) for seed in range(9)]
    assert all((np.sort(other.right) == np.sort(drawn.right)).all() for other in others)
    assert len({tuple(other.right[0]) for other in others}) > 2


def test_blocks_can_be_taken_together():
    grouped = pool([2, 1, 0, 1, 2], [0, 0, 1, 1, 0], [2, 2, 2, 2, 2]).grouped(2)
    assert (grouped.right.tolist(), grouped.size) == ([[3, 1], [0, 2], [4, 4]], 4)


def test_a_budget_goes_where_values_are_uncertain():
    random = np.random.default_rng(0)
    prefixes = tuple(Prefix(f"p{place}") for place in range(200))
    values = np.repeat([0.0, 0.5], 100)
    drawn = Pool(prefixes, random.binomial(4, np.repeat(values[:, None], 32, axis=1)), 4)
    played = replay_budget(drawn, 200 * 16, num_rounds=4, most=32)
    spent = played.num_rollouts
    assert spent.sum() == 200 * 16
    # 1 in 17 of those with 0 of 4 is a half, so that they get a second block, and no third.
    assert spent[:100].mean() < 9
    assert spent[100:].mean() > 22
    assert set(played.rules.values()) == {"fixed", "allocated"}


def test_more_blocks_than_were_drawn_are_refused():
    with pytest.raises(InputError, match="below 1, got 1"):
        replay(pool([0], [0], [0]), [exhaustive([ROOT], (0, 1))])
