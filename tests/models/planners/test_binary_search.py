import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.planners.binary_search import binary_search
from pav.models.planners.blocks import OpenSolution, label_problem
from pav.models.records import Prefix

LETTERS = "abcdefghijklmnop"


def steps(count):
    return tuple(f"{letter}\n" for letter in LETTERS[:count])


def monotone(first_dead):
    """Outcomes of blocks of 2: alive before `first_dead` steps, dead from there on."""
    return {steps(count): "01" for count in range(first_dead)}


@pytest.mark.parametrize("first_dead", range(1, 17))
def test_the_first_error_is_that_of_trying_every_prefix_in_log_of_the_steps(
    first_dead, dice, labelled, solution
):
    here = dice(monotone(first_dead), 2)
    _, [pit] = labelled([binary_search(solution(LETTERS), num_blocks=1, fresh_blocks=1)], here)
    # 16 open prefixes; the finished response after them is dead by its verdict.
    assert (16 if pit is None else len(pit.steps)) == first_dead
    assert len({asked for asked in here.asked if asked[1] == 0}) <= 1 + 4


def test_the_pit_is_estimated_with_fresh_blocks_and_the_others_keep_theirs(
    dice, labelled, solution
):
    here = dice(monotone(3), 2)
    rules, [pit] = labelled([binary_search(solution(LETTERS), num_blocks=2, fresh_blocks=3)], here)
    assert pit.steps == steps(3)
    of_pit = {number: rule for (prefix, number), rule in rules.items() if prefix == pit.steps}
    # What found it was wanted whatever would come out; only what follows was chosen for its zeros.
    assert of_pit == {0: "fixed", 1: "fixed", 2: "fresh", 3: "fresh", 4: "fresh"}
    others = {rule for (prefix, _), rule in rules.items() if prefix != pit.steps}
    assert others == {"fixed"}


@pytest.mark.parametrize(("root", "is_correct"), [("", False), ("11", True)])
def test_a_dead_problem_or_a_correct_solution_is_not_searched(
    root, is_correct, dice, labelled, solution
):
    here = dice({(): root}, 2)
    search = binary_search(solution("abcd", is_correct), num_blocks=1, fresh_blocks=1)
    assert labelled([search], here) == ({((), 0): "fixed"}, [None])


@given(st.lists(st.booleans(), min_size=1, max_size=16))
def test_a_prefix_that_comes_alive_again_may_be_passed_over_but_the_end_is_always_dead(alive):
    # Whatever the pattern, the search ends at a dead prefix whose neighbour before is alive.
    from tests.models.planners.conftest import Dice

    pattern = [True, *alive]
    here = Dice({steps(count): "01" for count, each in enumerate(pattern) if each}, 2)
    prefixes = tuple(Prefix("p", steps(count)) for count in range(len(pattern)))
    search = binary_search(OpenSolution(prefixes, False), num_blocks=1, fresh_blocks=1)
    algorithm = label_problem([search], policy="b", block_size=2, seed=0, max_tokens=9)
    reply = None
    try:
        while True:
            reply = here.answer(algorithm.send(reply))
    except StopIteration as stop:
        [pit] = stop.value.returned
    end = len(pattern) if pit is None else len(pit.steps)
    assert pattern[end - 1]
    assert end == len(pattern) or not pattern[end]
