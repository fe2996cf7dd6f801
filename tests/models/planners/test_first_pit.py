from pav.models.planners.first_pit import PitBudget, first_pit

# Blocks of 2: one to pilot, two to walk, two to estimate, one for the pit.
BUDGET = PitBudget(pilot=1, walk=2, estimate=2, pit=1)
A, AB, ABC = ("a\n",), ("a\n", "b\n"), ("a\n", "b\n", "c\n")


def plan(solution, high_value=0.0):
    return first_pit(solution, high_value=high_value, budget=BUDGET)


def blocks(steps, numbers, rule):
    return {(steps, number): rule for number in numbers}


def test_a_wrong_solution_is_labelled_up_to_its_pit_with_blocks_that_did_not_find_it(
    dice, labelled, solution
):
    # The bare problem is high, a is not dead within four rollouts, ab is; abc is never looked at.
    here = dice({(): "10", A: "0001"}, 2)
    rules, [pit] = labelled([plan(solution("abcd"))], here)
    assert pit.steps == AB
    assert rules == (
        blocks((), [0], "search") | blocks((), [2, 3], "fresh")
        | blocks(A, [0, 1], "search") | blocks(A, [2, 3], "fresh")
        | blocks(AB, [0, 1], "search") | blocks(AB, [2], "fresh")
    )  # fmt: skip


def test_the_walk_starts_after_the_first_prefix_above_the_threshold(dice, labelled, solution):
    # 1/2 is not above .5, 2/2 is: the pilot goes on to a, and the walk begins with ab.
    here = dice({(): "10", A: "11", AB: "1"}, 2)
    rules, [pit] = labelled([plan(solution("abcd"), high_value=0.5)], here)
    assert pit.steps == ABC
    searched = {key for key, rule in rules.items() if rule == "search"}
    assert searched == {((), 0), (A, 0), (AB, 0), (ABC, 0), (ABC, 1)}


def test_a_pilot_goes_on_while_a_later_block_can_still_make_the_prefix_high(
    dice, labelled, solution
):
    budget = PitBudget(pilot=2, walk=1, estimate=1, pit=1)
    search = first_pit(solution("abcd"), high_value=0.0, budget=budget)
    rules, [pit] = labelled([search], dice({(): "0001"}, 2))
    # The bare problem's first block has none right, its second one has; then a is the pit.
    assert pit.steps == A
    assert (rules[(), 0], rules[(), 1]) == ("search", "search")


def test_blocks_that_can_change_nothing_any_more_are_not_drawn(dice, labelled, solution):
    # a is alive by its first block of two, so that the second of its walk is left out.
    rules, [pit] = labelled([plan(solution("abcd"))], dice({(): "10", A: "01"}, 2))
    assert pit.steps == AB
    assert ((A, 0) in rules, (A, 1) in rules) == (True, False)
    assert rules[AB, 1] == "search"


def test_a_solution_without_a_high_prefix_yields_no_label(dice, labelled, solution):
    rules, [pit] = labelled([plan(solution("abc"))], dice({}, 2))
    assert pit is None
    assert set(rules.values()) == {"search"}


def test_where_only_the_last_step_is_wrong_every_open_prefix_is_estimated(dice, labelled, solution):
    rules, [pit] = labelled([plan(solution("ab"))], dice({(): "11", A: "01"}, 2))
    assert pit is None
    assert {key for key, rule in rules.items() if rule == "fresh"} == {
        ((), 2), (A, 2), ((), 3), (A, 3),
    }  # fmt: skip


def test_a_correct_solution_has_no_pit_and_is_estimated_whole(dice, labelled, solution):
    here = dice({}, 2)
    rules, [pit] = labelled([plan(solution("abc", is_correct=True))], here)
    assert pit is None
    assert rules == {(steps, number): "fixed" for steps in ((), A, AB) for number in (2, 3)}


def test_what_right_and_wrong_solutions_share_is_drawn_once(dice, labelled, solution):
    here = dice({(): "10"}, 2)
    rules, _ = labelled([plan(solution("ab")), plan(solution("xy", is_correct=True))], here)
    assert rules[(), 2] == "fixed"
    assert rules[A, 2] == "fresh"
    assert len(here.asked) == len(set(here.asked))
