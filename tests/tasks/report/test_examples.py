"""Worked examples show real steps with the values that labels and verifiers give them."""

import polars as pl
import pytest

from pav.models.domains.countdown.domain import fault
from pav.tasks.report.examples import ExampleTables, advantages_along, worked_examples
from pav.tasks.store.datasets import frame

RIGHT = ("4 * 6 = 24 left 1 1 24\n", "1 / 1 = 1 left 1 24\n", "24 * 1 = 24 left 24")
PRETENDED = ("6 - 4 = 2 left 1 1 2\n", "1 + 1 = 2 left 2 2\n", "2 * 2 = 24 left 24")


def problem(name):
    return {
        "problem_id": name, "domain": "countdown", "question": "1 1 4 6", "answer": "24",
        "answer_source": "program", "split": "test", "source": "embedded", "canonical_key": name,
    }  # fmt: skip


def solution(name, steps, verdict, wrong_step=None):
    return {
        "solution_id": f"s-{name}", "problem_id": name, "steps": steps, "verdict": verdict,
        "reason": "" if verdict == "correct" else f"wrong arithmetic at step {wrong_step}",
        "wrong_step": wrong_step, "num_steps": len(steps),
    }  # fmt: skip


def scored(name, verifier, values, counts, seed=0):
    """Rows of one solution: its scores and, before the end, right rollouts of 8."""
    last = len(values) - 1
    return [
        {
            "verifier": verifier, "solution_id": f"s-{name}", "problem_id": name, "split": "test",
            "num_steps": step, "prefix_id": f"{name}-{step}", "score": value,
            "num_correct": counts[step], "num_rollouts": 1 if step == last else 8,
            "is_terminal": step == last, "pipeline_seed": seed,
        }
        for step, value in enumerate(values)
    ]  # fmt: skip


@pytest.fixture
def tables():
    scores = [
        *scored("a", "q", (0.5, 0.75, 0.75, 1.0), (2, 6, 7, 1)),
        *scored("a", "q_weak", (0.25, 0.5, 0.5, 1.0), (0, 4, 4, 1)),
        *scored("b", "q", (0.5, 0.5, 0.5, 0.125), (2, 2, 1, 0)),
        *scored("b", "q", (0.0, 0.0, 0.0, 0.9), (2, 2, 1, 0), seed=1),
        *scored("a", "orm_all", (0.5, 0.5, 0.5, 0.9), (2, 6, 7, 1))[-1:],
    ]
    solutions = [solution("a", RIGHT, "correct"), solution("b", PRETENDED, "wrong", 3)]
    return ExampleTables(
        frame("problems", [problem("a"), problem("b")]),
        frame("solutions", solutions),
        frame("scores", scores),
        fault,
    )


def track(example, name):
    return next(each for each in example.tracks if each.name == name)


def test_each_example_is_of_another_problem_and_of_another_kind(tables):
    wrong, right = worked_examples(tables, count=3, main_k=4)
    assert (wrong.verdict, right.verdict) == ("wrong", "correct")
    assert wrong.heading == "A wrong step that the verifier sees"
    assert right.heading == "A right solution of a problem that promised little"


def test_steps_join_to_the_text_and_the_wrong_one_is_named(tables):
    wrong, right = worked_examples(tables, count=2, main_k=4)
    assert right.steps == RIGHT
    assert (wrong.wrong_step, right.wrong_step) == (3, None)


def test_values_are_the_labels_and_the_last_one_is_the_verdict(tables):
    _, right = worked_examples(tables, count=2, main_k=4)
    assert track(right, "base").labelled == (0.25, 0.75, 0.875, 1.0)
    assert track(right, "base").scored == (0.5, 0.75, 0.75, 1.0)
    assert right.counts == ("2 of 8", "6 of 8", "7 of 8", "end")


def test_best_of_k_labels_are_the_unbiased_estimate_and_scores_the_formula(tables):
    _, right = worked_examples(tables, count=2, main_k=2)
    # 2 of 8 right: 1 - C(6, 2) / C(8, 2) = 13 / 28; score 0.5: 1 - 0.5^2
    assert track(right, "Bo2").labelled[0] == pytest.approx(13 / 28)
    assert track(right, "Bo2").scored[0] == pytest.approx(0.75)


def test_a_k_above_the_number_of_rollouts_has_no_label(tables):
    _, right = worked_examples(tables, count=2, main_k=16)
    assert track(right, "Bo16").labelled == (None, None, None, 1.0)


def test_advantages_are_changes_of_value_and_sum_to_the_verdict_less_the_start(tables):
    _, right = worked_examples(tables, count=2, main_k=4)
    changes = advantages_along(track(right, "weak").labelled)
    assert changes == (None, 0.5, 0.0, 0.5)
    assert sum(change for change in changes if change is not None) == 1.0 - 0.0


def test_a_change_next_to_an_unknown_value_is_unknown():
    assert advantages_along((None, 0.5, None, 0.25)) == (None, None, None, None)
    assert advantages_along(()) == (None,)


def test_the_solver_says_where_the_target_goes_out_of_reach(tables):
    wrong, right = worked_examples(tables, count=2, main_k=4)
    assert right.is_solvable == (True, True, True, True)
    assert wrong.is_solvable == (True, False, False, False)


def test_only_the_first_pipeline_seed_is_shown(tables):
    wrong, _ = worked_examples(tables, count=2, main_k=4)
    assert track(wrong, "base").scored == (0.5, 0.5, 0.5, 0.125)


def test_without_scores_there_is_no_example(tables):
    empty = ExampleTables(tables.problems, tables.solutions, tables.scores.clear(), fault)
    assert worked_examples(empty, count=3, main_k=4) == []


def test_examples_do_not_depend_on_the_order_of_rows(tables):
    shuffled = ExampleTables(
        tables.problems.reverse(), tables.solutions.reverse(), tables.scores.reverse(), fault
    )
    assert worked_examples(shuffled, count=3, main_k=4) == worked_examples(
        tables, count=3, main_k=4
    )


def test_a_verifier_that_says_the_same_of_every_step_has_seen_no_error(tables):
    flat = tables.scores.with_columns(score=pl.lit(0.25))
    found = worked_examples(
        ExampleTables(tables.problems, tables.solutions, flat, fault), count=3, main_k=4
    )
    assert "A wrong step that the verifier sees" not in {example.heading for example in found}
    assert len(found) == 2
