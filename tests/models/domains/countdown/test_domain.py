from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.domains.countdown.domain import (
    Countdown,
    fault,
    is_solvable_prefix,
    state_after,
)
from pav.models.domains.countdown.lessons import CountdownLessons, solution_paths
from pav.models.domains.countdown.moves import State
from pav.models.domains.countdown.solver import is_solvable, legal_moves, paths
from pav.models.domains.countdown.text import format_steps
from pav.models.errors import InputError
from pav.models.records import Grading, Prefix, Problem, Verdict

COUNTDOWN = Countdown()
LESSONS = CountdownLessons(COUNTDOWN)
SOLUTION = ("13 - 9 = 4 left 4 4 10\n", "10 - 4 = 6 left 4 6\n", "6 * 4 = 24 left 24")
hands = st.lists(st.integers(1, 13), min_size=2, max_size=4).map(sorted).map(tuple)


def make(question: str = "4 9 10 13", answer: str = "24") -> Problem:
    return COUNTDOWN.problem(question, answer, problem_id="", split="train")


def finished(*steps: str) -> Prefix:
    return Prefix("p", steps, is_finished=True)


def first_error(problem: Problem, steps: tuple[str, ...]) -> int | None:
    """The first step that is wrong or puts the target out of reach; 0 for the problem itself."""
    for num_steps in range(len(steps) + 1):
        left = state_after(problem, steps[:num_steps])
        if left is None or not is_solvable(left, int(problem.answer)):
            return num_steps
    return None


def walk(hand: State, data: st.DataObject) -> tuple[str, ...]:
    """A legal response that plays the hand to its end."""
    moves = []
    while len(hand) > 1:
        moves.append(data.draw(st.sampled_from(legal_moves(hand))))
        hand = moves[-1].left
    return format_steps(tuple(moves))


def test_a_problem_is_known_by_its_sorted_numbers_and_target() -> None:
    problem = make("10, 4,13 9", " 48/2 ")
    assert (problem.question, problem.answer) == ("10 4 13 9", "24")
    assert problem.canonical_key == "countdown:4 9 10 13=24" == make().canonical_key
    assert problem.problem_id == problem.canonical_key
    assert COUNTDOWN.problem("4 9", "13", problem_id="mine", split="test").problem_id == "mine"
    assert COUNTDOWN.prompt(problem) == "10 4 13 9 -> 24\n"


@pytest.mark.parametrize("answer", ["8/3", "-3", "1000000"])
def test_a_target_may_be_a_fraction_or_negative(answer: str) -> None:
    assert make("3 8", answer).answer == answer


@pytest.mark.parametrize(
    "question",
    ["", "4", "4 9 10 13 1 2 3", "4 x", "0 5", "-4 5", "4.5 3", "10001 2", "٤ 5", "²2 3"],
)
def test_a_bad_question_is_refused_with_what_was_expected(question: str) -> None:
    with pytest.raises(InputError, match="question: expected 2 to 6 whole numbers from 1 to 10000"):
        make(question)


@pytest.mark.parametrize("answer", ["", "x", "24.5", "8/0", "1 2", "1000001", "9" * 30, "1/00"])
def test_a_bad_answer_is_refused(answer: str) -> None:
    with pytest.raises(InputError, match="answer: expected"):
        make("4 9", answer)


@given(st.text(alphabet="1 =+\n\r\u2028x", max_size=40))
def test_steps_joined_are_the_text(text: str) -> None:
    steps = COUNTDOWN.split_steps(text)
    assert "".join(steps) == text
    assert all(step.endswith("\n") for step in steps[:-1])
    assert all(step.count("\n") <= 1 and step for step in steps)


def test_a_right_response_is_correct() -> None:
    assert COUNTDOWN.grade(make(), finished(*SOLUTION)) == Grading(Verdict.CORRECT)


@pytest.mark.parametrize(
    "steps",
    [
        ("9 - 13 = -4 left -4 4 10\n", "10 - -4 = 14 left 4 14\n", "14 + 4 = 18 left 18"),
        ("9 / 4 = 9/4 left 9/4 10 13\n", "13 - 10 = 3 left 9/4 3\n", "9/4 * 3 = 27/4 left 27/4"),
    ],
    ids=["negative", "fraction"],
)
def test_negative_and_fractional_results_are_legal(steps: tuple[str, ...]) -> None:
    assert COUNTDOWN.grade(make(), finished(*steps)) == Grading(Verdict.WRONG, "wrong result", 3)


@pytest.mark.parametrize(
    ("steps", "verdict", "reason", "wrong_step"),
    [
        (("13 - 9 = 5 left 4 5 10\n", "x"), "wrong", "wrong arithmetic at step 1", 1),
        ((SOLUTION[0], "10 - 4 = 7 left 4 7\n"), "wrong", "wrong arithmetic at step 2", 2),
        (("13 - 8 = 5 left 4 5 10\n",), "wrong", "number not available at step 1", 1),
        (("4 + 4 = 8 left 8 9 10 13\n",), "wrong", "number not available at step 1", 1),
        (("13 - 9 = 4 left 4 10\n",), "wrong", "wrong left numbers at step 1", 1),
        (("13 - 9 = 4 left 4 4 4 10\n",), "wrong", "wrong left numbers at step 1", 1),
        (("13 - 13 = 0 left 4\n",), "wrong", "number not available at step 1", 1),
        ((*SOLUTION[:2], "6 + 4 = 10 left 10"), "wrong", "wrong result", 3),
        (SOLUTION[:2], "wrong", "unfinished", None),
        ((), "wrong", "unfinished", None),
        ((*SOLUTION[:2], "6 * 4 = 24 left 24\n", "24 + 0"), "unparsed", "cannot read step 4", 4),
        ((SOLUTION[0], "so 10 - 4 = 6"), "unparsed", "cannot read step 2", 2),
        ((SOLUTION[0], "\n", *SOLUTION[1:]), "unparsed", "cannot read step 2", 2),
        (("13 - 9 = 4/0 left 4 4 10\n",), "unparsed", "cannot read step 1", 1),
        (("13 - 9 = " + "4" * 5000 + " left 4\n",), "unparsed", "cannot read step 1", 1),
    ],
)
def test_a_wrong_response_is_graded_with_its_first_error(
    steps: tuple[str, ...], verdict: str, reason: str, wrong_step: int | None
) -> None:
    expected = Grading(Verdict(verdict), reason, wrong_step)
    assert COUNTDOWN.grade(make(), finished(*steps)) == expected


def test_a_division_by_zero_is_wrong() -> None:
    steps = ("4 - 4 = 0 left 0 5\n", "5 / 0 = 5 left 5")
    expected = Grading(Verdict.WRONG, "division by zero at step 2", 2)
    assert COUNTDOWN.grade(make("4 4 5", "5"), finished(*steps)) == expected


def test_a_response_that_was_cut_off_is_truncated_and_still_names_an_earlier_error() -> None:
    assert COUNTDOWN.grade(make(), Prefix("p", SOLUTION)) == Grading(Verdict.TRUNCATED, "cut off")
    steps = ("13 - 9 = 5 left 4 5 10\n", "10 -")
    expected = Grading(Verdict.TRUNCATED, "cut off", 1)
    assert COUNTDOWN.grade(make(), Prefix("p", steps)) == expected


def test_left_numbers_count_in_any_order_and_a_last_newline_does_no_harm() -> None:
    steps = ("13 - 9 = 4 left 10 4 4\n", SOLUTION[1], SOLUTION[2] + "\n")
    assert COUNTDOWN.grade(make(), finished(*steps)).verdict == Verdict.CORRECT
    assert COUNTDOWN.grade(make(), finished(*steps, "")).verdict == Verdict.CORRECT


@settings(deadline=None, max_examples=30)
@given(hands, st.integers(0, 40))
def test_every_listed_path_is_graded_correct(hand: State, target: int) -> None:
    problem = make(" ".join(map(str, hand)), str(target))
    for path in paths(hand, target):
        steps = format_steps(path)
        assert COUNTDOWN.split_steps("".join(steps)) == steps
        assert COUNTDOWN.grade(problem, finished(*steps)).verdict == Verdict.CORRECT


@settings(deadline=None)
@given(hands, st.data())
def test_a_changed_result_is_wrong_arithmetic_at_that_step(
    hand: State, data: st.DataObject
) -> None:
    problem = make(" ".join(map(str, hand)))
    steps = walk(hand, data)
    index = data.draw(st.integers(0, len(steps) - 1))
    calculation, _, left = steps[index].partition(" left ")
    shown, _, result = calculation.partition(" = ")
    false_result = Fraction(result) + data.draw(st.integers(1, 5))
    changed = (*steps[:index], f"{shown} = {false_result} left {left}", *steps[index + 1 :])
    expected = Grading(Verdict.WRONG, f"wrong arithmetic at step {index + 1}", wrong_step=index + 1)
    assert COUNTDOWN.grade(problem, finished(*changed)) == expected
    assert state_after(problem, changed) is None
    assert first_error(problem, changed) in range(index + 2)
    for num_steps in range(index + 1, len(changed)):
        assert not is_solvable_prefix(problem, Prefix("p", changed[:num_steps]))


@settings(deadline=None)
@given(hands, st.data())
def test_grading_agrees_with_the_solver_on_every_legal_response(
    hand: State, data: st.DataObject
) -> None:
    problem = make(" ".join(map(str, hand)))
    steps = walk(hand, data)
    is_correct = COUNTDOWN.grade(problem, finished(*steps)).verdict == Verdict.CORRECT
    assert is_correct == (first_error(problem, steps) is None)
    assert is_correct == (state_after(problem, steps) == (24,))
    solvable = [is_solvable_prefix(problem, Prefix("p", steps[:h])) for h in range(len(steps))]
    # Once out of reach, the target stays out of reach.
    assert solvable == sorted(solvable, reverse=True)
    assert not is_correct or all(solvable)


def test_the_state_after_steps_is_what_is_left() -> None:
    assert state_after(make(), ()) == (4, 9, 10, 13)
    assert state_after(make(), SOLUTION[:1]) == (4, 4, 10)
    assert state_after(make(), SOLUTION) == (24,)
    assert state_after(make(), ("13 - 9 = 5 left 4 5 10\n",)) is None


def test_a_solvable_prefix_is_one_that_a_correct_response_starts_with() -> None:
    assert is_solvable_prefix(make(), Prefix("p"))
    assert is_solvable_prefix(make(), Prefix("p", SOLUTION[:2]))
    assert is_solvable_prefix(make(), finished(*SOLUTION))
    assert not is_solvable_prefix(make(), finished(*SOLUTION[:2]))
    assert not is_solvable_prefix(make(), Prefix("p", ("13 - 9",)))
    assert not is_solvable_prefix(make(), Prefix("p", ("13 * 10 = 130 left 4 9 130\n",)))
    assert not is_solvable_prefix(make("1 1 1 1"), Prefix("p"))


def test_a_fault_is_an_illegal_step_or_a_target_out_of_reach() -> None:
    assert not is_solvable((4, 9, 130), 24)
    assert fault(make(), Prefix("p", SOLUTION[:2])) == ""
    lost = ("13 * 10 = 130 left 4 9 130\n",)
    assert fault(make(), Prefix("p", lost)) == "target out of reach"
    assert fault(make("1 1 1 1"), Prefix("p")) == "target out of reach"
    illegal = (SOLUTION[0], "10 + 4 = 15 left 4 15\n")
    assert fault(make(), Prefix("p", illegal)) == "illegal step"


def test_exercises_are_the_hand_in_other_orders_and_with_other_targets_that_it_reaches() -> None:
    shown = LESSONS.exercises(make())
    assert shown[0].question == make().question
    assert len({(each.question, each.answer) for each in shown}) == len(shown)
    assert {tuple(sorted(each.question.split())) for each in shown} == {("10", "13", "4", "9")}
    assert sum(each.answer == "24" for each in shown) >= 6
    others = {each.answer for each in shown} - {"24"}
    assert len(others) == 4
    assert all(1 <= int(answer) <= 48 for answer in others)
    assert all(is_solvable((4, 9, 10, 13), int(answer)) for answer in others)
    assert shown == LESSONS.exercises(make())


@pytest.mark.parametrize(
    ("question", "answer", "is_any"),
    [("2 2", "0", True), ("1 2", "-1", True), ("1 2", "1/2", True), ("1 2", "1000000", False)],
)
def test_a_solvable_hand_has_exercises_whatever_its_target(
    question: str, answer: str, is_any: bool
) -> None:
    problem = make(question, answer)
    asked = [(each.question, each.answer) for each in LESSONS.exercises(problem)]
    assert asked[:1] == [(question, answer)] * is_any


def test_a_hand_is_rephrased_by_its_order_alone() -> None:
    shown = COUNTDOWN.rephrasings(make())
    assert shown[0].question == make().question
    assert len({each.question for each in shown}) == len(shown) > 5
    assert {each.canonical_key for each in shown} == {make().canonical_key}
    assert [each.question for each in COUNTDOWN.rephrasings(make("6 6 6 6"))] == ["6 6 6 6"]


def test_demonstrations_are_correct_distinct_and_the_same_for_the_same_seed() -> None:
    shown = LESSONS.demonstrations(make(), limit=10_000, num_drawn=16, seed=0)
    assert SOLUTION in shown
    assert len(set(shown)) == len(shown) == 4
    assert all(
        COUNTDOWN.grade(make(), finished(*steps)).verdict == Verdict.CORRECT for steps in shown
    )
    assert LESSONS.demonstrations(make(), limit=3, num_drawn=16, seed=0) == shown[:3]
    assert set(LESSONS.demonstrations(make(), limit=10_000, num_drawn=16, seed=1)) == set(shown)
    assert LESSONS.demonstrations(make(), limit=10_000, num_drawn=16, seed=1) != shown
    assert LESSONS.demonstrations(make("1 1 1 1"), limit=5, num_drawn=16, seed=0) == ()


@settings(deadline=None, max_examples=30)
@given(hands, st.integers(0, 40), st.integers(0, 9))
def test_demonstrations_name_the_larger_number_first_and_stay_at_or_above_zero(
    hand: State, target: int, seed: int
) -> None:
    for steps in solution_paths(hand, target, limit=20, seed=seed):
        for step in steps:
            a, _, b, _, result, _, *left = step.split()
            assert Fraction(result) >= 0
            assert "/" in step.split(" = ")[0] or Fraction(a) >= Fraction(b)
            assert list(map(Fraction, left)) == sorted(map(Fraction, left))


def test_a_negative_target_is_demonstrated_with_the_subtraction_it_needs() -> None:
    assert solution_paths((3, 8), -5, limit=5, seed=0) == (("3 - 8 = -5 left -5",),)


def test_six_numbers_are_demonstrated_without_listing_all_paths() -> None:
    problem = make("1 5 7 10 12 13", "24")
    shown = LESSONS.demonstrations(problem, limit=128, num_drawn=8, seed=3)
    assert len(set(shown)) == 8
    assert shown == LESSONS.demonstrations(problem, limit=128, num_drawn=8, seed=3)
    assert all(
        COUNTDOWN.grade(problem, finished(*steps)).verdict == Verdict.CORRECT for steps in shown
    )
