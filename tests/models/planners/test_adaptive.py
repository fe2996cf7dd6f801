from pav.models.labels.sequential import SequentialRule
from pav.models.planners.adaptive import adaptive, adaptive_walk

VALUES = SequentialRule(block=8, width=0.3, threshold=0.5, confidence=0.95, most=24)
WALK = SequentialRule(block=8, width=0.0, threshold=0.3, confidence=0.95, most=24, until_right=True)
A, AB = ("a\n",), ("a\n", "b\n")


def test_a_settled_prefix_stops_and_the_others_go_on(dice, labelled, solution):
    # 0/8 lies below one half; 4/8 and 8/16 settle nothing, so that the bare problem gets all.
    here = dice({(): "10" * 12, AB: "1" * 24}, 8)
    rules, _ = labelled([adaptive(solution("abc"), VALUES)], here)
    drawn = {prefix: [number for each, number in rules if each == prefix] for prefix, _ in rules}
    assert drawn == {(): [0, 1, 2], A: [0], AB: [0]}
    assert [rules[(), number] for number in range(3)] == ["fixed", VALUES.name, VALUES.name]


def test_a_walk_stops_at_the_first_prefix_below_the_threshold(dice, labelled, solution):
    # The interval of 0/8 ends at .439 and that of 0/16 at .267, which is below .3.
    here = dice({(): "01"}, 8)
    rules, [error] = labelled([adaptive_walk(solution("abc"), WALK)], here)
    assert error.steps == A
    assert list(rules) == [((), 0), (A, 0), (A, 1)]


def test_a_walk_of_living_prefixes_finds_no_error(dice, labelled, solution):
    here = dice({(): "1", A: "1", AB: "1"}, 8)
    assert labelled([adaptive_walk(solution("abc"), WALK)], here)[1] == [None]


def test_of_a_correct_solution_only_the_bare_problem_is_walked(dice, labelled, solution):
    here = dice({(): "1"}, 8)
    rules, [error] = labelled([adaptive_walk(solution("abc", is_correct=True), WALK)], here)
    assert (list(rules), error) == ([((), 0)], None)
