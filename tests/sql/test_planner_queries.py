"""Saved queries on labels that several planners made, and on leaks between splits."""

import numpy as np
import pytest

from pav.models.labels.confidence import sequence_interval, wilson_interval
from pav.tasks.database.database import build_database, run_query
from pav.tasks.database.inputs import Sources
from pav.tasks.database.queries import saved_query
from pav.tasks.store.datasets import frame

STEP = "sequential block=8 width=0.3 threshold=0 confidence=0.95 most=64"
# (prefix, right, of, rule); the block's number is its place in the list
BLOCKS = [
    ("a", 4, 8, "fixed"), ("a", 3, 8, STEP), ("b", 2, 8, "fixed"), ("b", 1, 8, "allocated"),
    ("pit", 0, 8, "search"), ("pit", 0, 8, "fresh"), ("pit", 2, 8, "fresh"),
    ("pit2", 0, 8, "search"), ("pit2", 0, 8, "fresh"), ("pit3", 0, 8, "search"),
    ("open", 3, 8, "search"), ("pit4", 0, 8, "fixed"), ("pit4", 0, 8, "fixed"),
    ("pit4", 1, 8, "fresh"), ("dead", 0, 8, "fixed"),
]  # fmt: skip


@pytest.fixture
def answer(tmp_path):
    """Returns some columns of a saved query on a database of the given rows."""

    def rows(name, columns, **tables):
        files = {}
        for table, values in tables.items():
            files[table] = [tmp_path / f"{table}.parquet"]
            frame(table, values).write_parquet(files[table][0])
        build_database(tmp_path / "labels.duckdb", Sources(files))
        return run_query(tmp_path / "labels.duckdb", saved_query(name)).select(columns).rows()

    return rows


def blocks():
    return [
        {"prefix_id": prefix, "policy_id": "p", "seed": 0, "block": number, "num_rollouts": of,
         "num_correct": right, "num_truncated": 0, "num_unparsed": 0, "num_failed": 0,
         "generated_tokens": 100, "stopping_rule": rule}
        for number, (prefix, right, of, rule) in enumerate(BLOCKS)
    ]  # fmt: skip


def test_planners_are_compared_by_what_each_rule_drew(answer):
    columns = ["stopping_rule", "num_blocks", "num_rollouts", "num_correct", "num_prefixes",
               "generated_tokens"]  # fmt: skip
    assert answer("planners", columns, label_blocks=blocks()) == [
        ("fixed", 5, 40, 6, 4, 500), (STEP, 1, 8, 3, 1, 100), ("allocated", 1, 8, 1, 1, 100),
        ("fresh", 4, 32, 3, 3, 400), ("search", 4, 32, 3, 4, 400),
    ]  # fmt: skip
    [*shares] = answer("planners", ["share_of_rollouts"], label_blocks=blocks())
    assert [share for (share,) in shares] == pytest.approx([40 / 120, 8 / 120, 8 / 120,
                                                            32 / 120, 32 / 120])  # fmt: skip


def test_pits_found_by_none_of_n_are_held_against_fresh_rollouts(answer):
    columns = ["policy", "search_rollouts", "num_pits", "num_reestimated", "fresh_rollouts",
               "fresh_correct", "num_refuted"]  # fmt: skip
    # `open` was no pit; pit3 was not estimated anew; of the others one came right after all. pit4
    # is one of a binary search, which takes all it wants of a prefix at once; `dead` is no pit of
    # a search, as nothing was drawn of it anew.
    assert answer("pits", columns, label_blocks=blocks()) == [
        ("p", 8, 3, 2, 24, 2, 1), ("p", 16, 1, 1, 8, 1, 1),
    ]  # fmt: skip
    shares = answer("pits", ["fresh_share"], label_blocks=blocks())
    assert shares == [(pytest.approx(2 / 24),), (1 / 8,)]


def test_bits_of_a_label_that_was_stopped_by_its_counts_are_of_a_confidence_sequence(answer):
    prefixes = [
        {"prefix_id": name, "problem_id": "x", "num_steps": 0, "is_terminal": False}
        for name in "ab"
    ]
    rows = [row for row in blocks() if row["prefix_id"] in "ab"]
    for rule, expected in (("fixed", wilson_interval), ("allocated", sequence_interval)):
        own = [row | {"stopping_rule": rule} for row in rows]
        [(bits,)] = answer("cheapest_labels", ["bits"], label_blocks=own, prefixes=prefixes)
        widths = [np.subtract(*expected(right, 16, confidence=0.95)[::-1]) for right in (7, 3)]
        assert bits == pytest.approx(-np.log2(widths).sum())


def problem(problem_id, question, split, key, **more):
    return {"problem_id": problem_id, "domain": "math", "question": question, "split": split,
            "answer": "1", "canonical_key": key, "unit_id": split} | more  # fmt: skip


def test_a_question_in_two_splits_is_a_leak_whatever_its_case_and_space(answer):
    problems = [
        problem("a", "What is  1 + 1?", "train", "k1"),
        problem("b", "what is 1 + 1?\n", "test", "k2"),
        problem("c", "Another?", "train", "k3"), problem("d", "Another?", "train", "k4"),
        problem("e", "Long", "train", "k5"), problem("f", "Longer", "validation", "k5"),
    ]  # fmt: skip
    assert answer("overlap", ["same", "problem", "splits", "problem_ids"], problems=problems) == [
        ("canonical key", "k5", "train, validation", "e, f"),
        ("question", "what is 1 + 1?", "test, train", "a, b"),
    ]


def test_a_hand_with_two_targets_is_two_problems(answer):
    problems = [
        problem("a", "1 2 3 4", "train", "k1", domain="countdown", answer="24"),
        problem("b", "1 2 3 4", "test", "k2", domain="countdown", answer="10"),
    ]
    assert answer("overlap", ["same"], problems=problems) == []


@pytest.mark.parametrize(
    ("verdict", "counts", "outcome"),
    [
        ("correct", [(8, 8)], "always solved"),
        ("correct", [], "no rollouts"),
        ("failed", [], "every sample failed"),
        ("wrong", [(0, 8), (1, 8)], "only rollouts solve it"),
        ("wrong", [(0, 8)], "no correct response anywhere"),
    ],
)
def test_yield_says_why_a_problem_gave_nothing_to_learn_from(answer, verdict, counts, outcome):
    tables = {
        "problems": [problem("x", "?", "train", "k")],
        "solutions": [{"solution_id": "s", "problem_id": "x", "verdict": verdict}],
        "prefixes": [{"prefix_id": "r", "problem_id": "x", "num_steps": 0, "is_terminal": False}],
        "label_blocks": [
            blocks()[0] | {"prefix_id": "r", "block": number, "num_correct": right,
                           "num_rollouts": of}
            for number, (right, of) in enumerate(counts)
        ],
    }  # fmt: skip
    assert answer("yield", ["problem_id", "outcome"], **tables) == [("x", outcome)]
    mixed = blocks()[0] | {"prefix_id": "r", "block": 9}
    tables["label_blocks"].append(mixed)
    tables["solutions"].append({"solution_id": "s2", "problem_id": "x", "verdict": "correct"})
    assert answer("yield", ["problem_id"], **tables) == []


def test_what_a_tree_search_went_through_says_nothing_of_how_often_a_policy_is_right(answer):
    solutions = [
        {"solution_id": f"s{sample}", "problem_id": "x", "policy_id": "p", "sample": sample,
         "verdict": verdict, "text": str(sample)}
        for sample, verdict in ((0, "correct"), (1, "wrong"), (1_000_000, "wrong"), (None, "wrong"))
    ]  # fmt: skip
    problems = [{"problem_id": "x", "split": "train", "canonical_key": "x"}]
    given = {"solutions": solutions, "problems": problems}
    # The one without a number came from a file.
    assert answer("verdicts", ["verdict", "num_solutions"], **given) == [
        ("wrong", 2), ("correct", 1)
    ]  # fmt: skip
