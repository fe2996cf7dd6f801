"""The saved query that says whether the mean score of the base's own solutions drifts."""

import json

import numpy as np
import polars as pl
import pytest

from pav.tasks.database.database import build_database, run_query
from pav.tasks.database.inputs import ROW_SCHEMAS, Sources
from pav.tasks.database.queries import saved_query
from pav.tasks.store.datasets import frame

PARAMETERS = {"targets": "counts", "policies": {"base": "b"}, "heads": ["q"],
              "head_policies": ["b"], "best_of_k": [1]}  # fmt: skip


@pytest.fixture
def drift(tmp_path):
    """Returns the query's rows for solutions, each a problem and its scores step by step."""

    def answer(solutions, *, verifier="q", split="test", **parameters):
        rows = [
            {"verifier": verifier, "solution_id": f"s{number}", "problem_id": problem,
             "split": split, "num_steps": step, "score": score, "pipeline_seed": 0,
             "unit_id": "u"}
            for number, (problem, path) in enumerate(solutions)
            for step, score in enumerate(path)
        ]  # fmt: skip
        frame("scores", rows).write_parquet(tmp_path / "scores.parquet")
        unit = {"unit_id": "u", "stage": "train", "parameters": json.dumps(PARAMETERS | parameters)}
        units = pl.DataFrame([unit | {"inputs": "{}", "versions": "{}"}],
                             schema=ROW_SCHEMAS["units"])  # fmt: skip
        sources = Sources({"scores": [tmp_path / "scores.parquet"]}, {"units": units})
        build_database(tmp_path / "labels.duckdb", sources)
        return run_query(tmp_path / "labels.duckdb", saved_query("score_drift")).to_dicts()

    return answer


def test_means_are_of_all_solutions_with_the_last_score_carried_on(drift):
    found = drift([("a", [0.2, 0.4]), ("b", [0.4, 0.2, 0.6])])
    assert [(row["verifier"], row["split"], row["num_steps"]) for row in found] == [
        ("q", "test", 0), ("q", "test", 1), ("q", "test", 2),
    ]  # fmt: skip
    assert [row["mean_score"] for row in found] == pytest.approx([0.3, 0.3, 0.5])
    assert [row["change"] for row in found] == pytest.approx([0, 0, 0.2])
    # Changes of .2 and -.2 after one step: sqrt(2 * (.04 + .04)) / 2 = .2.
    assert [row["error"] for row in found] == pytest.approx([0, 0.2, 0])
    assert [row["num_solutions"] for row in found] == [2, 2, 2]


def test_solutions_of_one_problem_count_once_for_the_error(drift):
    one = drift([("a", [0.2, 0.4]), ("b", [0.4, 0.2])])
    many = drift([("a", [0.2, 0.4])] * 9 + [("b", [0.4, 0.2])] * 9)
    assert many[1]["error"] == pytest.approx(one[1]["error"])
    assert (many[1]["num_problems"], many[1]["num_solutions"]) == (2, 18)


def walks(drift_of_step):
    """Return 200 solutions whose scores go up or down by .1 at each of three steps, and drift."""
    moves = np.random.default_rng(2).choice([-0.1, 0.1], size=(200, 3)) + drift_of_step
    paths = 0.5 + np.concatenate([np.zeros((200, 1)), moves.cumsum(axis=1)], axis=1)
    return [(f"p{number // 2}", path) for number, path in enumerate(paths.tolist())]


def test_a_martingale_is_within_its_error_and_a_drift_is_not(drift):
    assert all(row["is_within_error"] for row in drift(walks(0.0)))
    assert [row["is_within_error"] for row in drift(walks(-0.03))] == [True, False, False, False]


@pytest.mark.parametrize("parameters", [
    {"targets": ""}, {"head_policies": ["w"]}, {"best_of_k": [4]}, {"heads": ["q_other"]},
])  # fmt: skip
def test_what_is_no_value_of_the_base_is_left_out(drift, parameters):
    assert drift([("a", [0.2, 0.4])], **parameters) == []


def test_a_head_of_a_shared_network_is_told_by_its_own_policy(drift):
    shared = {"heads": ["q_weak", "q"], "head_policies": ["w", "b"], "best_of_k": [1, 1]}
    assert len(drift([("a", [0.2, 0.4])], **shared)) == 2
    assert drift([("a", [0.2, 0.4])], verifier="q_weak", **shared) == []
