import shutil

import duckdb
import pytest

from pav.models.labels.sequential import SequentialRule
from pav.tasks.database.database import check_database
from pav.tasks.database.queries import check_store, database_path


@pytest.fixture
def broken(store, tmp_path):
    """Returns what `check_database` finds after some SQL has been run on a copy."""

    def find(statement):
        path = tmp_path / "copy.duckdb"
        shutil.copy(database_path(store), path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(statement).fetchall()
        return [(fault.check, fault.subject, fault.detail) for fault in check_database(path)]

    return find


def test_the_hand_made_store_is_whole(store):
    assert check_store(store) == []


def test_a_key_that_stands_twice_is_found(broken):
    found = broken("insert into problems select * from problems where problem_id = 'ones'")
    assert ("unique_keys", "ones", "more than one row in problems") in found


def test_more_correct_than_rollouts_is_found(broken):
    found = broken("update label_blocks set num_correct = 9 where prefix_id = 'bad2' and block = 1")
    subject = f"bad2 {'b' * 16}"
    assert ("label_counts", f"{subject} 0 1",
            "9 correct, 0 truncated, 0 unparsed of 4 rollouts, 0 failed") in found  # fmt: skip
    assert ("label_sums", subject, "label has 0 of 8, its blocks 9 of 8") in found


def test_a_negative_count_is_found(broken):
    found = broken("update labels set num_failed = -1 where prefix_id = 'ones'")
    assert {check for check, _, _ in found} == {"label_counts"}


def test_a_label_without_blocks_is_found(broken):
    found = broken("delete from label_blocks where prefix_id = 'first' and policy_id[1] = 'w'")
    assert [(check, subject) for check, subject, _ in found] == [
        ("label_sums", f"first {'w' * 16}")
    ]


def test_rows_that_name_what_is_not_there_are_found(broken):
    found = broken("delete from problems where problem_id = 'ones'")
    assert {(subject, detail) for _, subject, detail in found} == {
        ("lost", "solution of the unknown problem ones"),
        ("lost", "prefix of the unknown problem ones"),
        ("ones", "prefix of the unknown problem ones"),
    }


def test_a_label_of_an_unknown_prefix_is_found(broken):
    found = broken("delete from prefix_cuts where prefix_id = 'bad2'")
    assert ("orphans", f"bad2 {'b' * 16}", "label of an unknown prefix") in found
    assert ("orphans", "wrong 2", "steps that are the unknown prefix bad2") in found


def test_one_problem_in_two_splits_is_found_whatever_its_ids(broken):
    found = broken(
        "insert into problems by name select problems.* replace ('other' as problem_id, "
        "'test' as split) from problems where problem_id = 'hand'"
    )
    assert ("splits", "4 9 10 13 -> 24", "canonical key in the splits test, train") in found


def test_a_search_on_training_problems_under_a_false_split_is_found(broken):
    found = broken("update problems set split = 'train' where problem_id = 'twelve'")
    assert ("splits", "twelve", "searched as test, is train") in found


OTHER_TEXT = "prefix text is not the first steps joined"


def test_a_prefix_that_ends_elsewhere_is_found(broken):
    found = broken("update prefix_cuts set num_characters = 5 where prefix_id = 'bad2'")
    assert ("steps", "wrong 2", OTHER_TEXT) in found


def test_a_prefix_that_is_not_the_solutions_first_steps_is_found(broken):
    # Both solutions pass through `first`, and one of them says something else there.
    found = broken(
        "update solutions set text = 'X' || text[2:], steps = list_prepend('X' || steps[1][2:], "
        "steps[2:]) where solution_id = 'wrong'"
    )
    assert found == [("steps", "wrong 1", OTHER_TEXT)]


def test_a_difference_before_the_last_shared_step_is_found(broken):
    found = broken(
        "update solution_prefixes set prefix_id = 'good2' where prefix_id = 'bad2';"
        "update prefix_cuts set num_characters = 46 where prefix_id = 'good2'"
    )
    assert ("steps", "wrong 2", OTHER_TEXT) in found


def test_a_prefix_of_no_solution_is_found(broken):
    found = broken("update prefix_cuts set solution_id = 'none' where prefix_id = 'bad2'")
    assert ("orphans", "bad2", "prefix of the unknown solution none") in found


def test_a_terminal_prefix_with_rollouts_or_without_a_verdict_is_found(broken):
    found = broken("update prefix_cuts set is_terminal = true where prefix_id = 'ones'")
    assert ("terminal_prefixes", "ones", "terminal prefix has rollouts") in found
    assert ("terminal_prefixes", "ones", "terminal prefix without a verdict") in found


def test_a_verdict_that_the_advantages_do_not_sum_to_is_found(broken):
    found = broken("update solutions set verdict = 'correct' where solution_id = 'wrong'")
    [(subject, detail)] = [
        row[1:] for row in found if row[0] == "telescoping" and row[1].endswith("b")
    ]
    assert subject == f"wrong {'b' * 16}"
    assert detail == "advantages sum to -0.416667, verdict minus V(root) is 0.583333"
    assert ("steps", "wrong 3", "verdict is not that of the terminal prefix") in found


def test_an_unknown_stopping_rule_is_found(broken):
    found = broken("update label_blocks set stopping_rule = 'sequential' where block = 1")
    assert ("stopping_rules", "sequential",
            "unknown stopping rule of 5 blocks, the first of bad2; known are fixed, sequential, "
            "allocated, fresh, search") in found  # fmt: skip


@pytest.mark.parametrize("rule", [
    SequentialRule(8, 0.3, 0.5, 0.95, 64).name,
    SequentialRule(8, 0.0, 0.1, 0.95, 64, until_right=True).name,
    "fixed", "allocated", "fresh", "search",
])  # fmt: skip
def test_every_rule_that_a_planner_writes_is_known(broken, rule):
    assert broken(f"update label_blocks set stopping_rule = '{rule}' where block = 1") == []


@pytest.mark.parametrize("rule", ["fresh 2", "sequential block=8", "until right", ""])
def test_a_rule_that_is_like_a_known_one_is_not(broken, rule):
    found = broken(f"update label_blocks set stopping_rule = '{rule}' where block = 1")
    assert [(check, subject) for check, subject, _ in found] == [("stopping_rules", rule)]


def test_more_fresh_correct_than_fresh_rollouts_is_found(broken):
    found = broken("update labels set fresh_correct = 1 where prefix_id = 'bad2'")
    assert {(check, subject[-5:]) for check, subject, _ in found} == {("label_counts", "fresh")}


def test_a_key_with_a_null_in_it_is_found(broken):
    found = broken("update label_blocks set seed = null where prefix_id = 'ones'")
    assert ("null_keys", "label_blocks", "3 rows with a null in their key") in found


def test_rows_of_a_unit_that_is_not_there_are_found(broken):
    found = broken("update solutions set unit_id = 'gone' where solution_id = 'lost'")
    assert found == [("orphans", "gone", "solutions of an unknown unit")]


def test_more_first_correct_than_first_rollouts_is_found(broken):
    found = broken("update labels set first_correct = 9 where prefix_id = 'bad2'")
    assert {(check, subject[-5:]) for check, subject, _ in found} == {("label_counts", "first")}
