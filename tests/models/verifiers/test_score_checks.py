"""Held-out scores say where a verifier is far off, and whether its mean drifts with the steps."""

import numpy as np
import polars as pl
import pytest

from pav.models.verifiers.score_checks import score_drift, worst_bins
from pav.tasks.report.verifier_words import calibration_words, drift_words
from pav.tasks.store.datasets import frame


def labelled(verifier, said, num_correct, num_rollouts, *, count):
    """Rows of one verifier that all say the same, a prefix each."""
    return [
        {
            "verifier": verifier, "solution_id": f"s{place}", "problem_id": f"p{place}",
            "split": "test", "num_steps": 0, "score": said, "num_correct": num_correct,
            "num_rollouts": num_rollouts, "is_terminal": False, "pipeline_seed": 0,
        }
        for place in range(count)
    ]  # fmt: skip


def paths(solutions, *, split="test"):
    """Scores of Q along solutions, each `problem, scores from the bare problem on`."""
    rows = [
        {
            "verifier": "q", "solution_id": f"s{place}", "problem_id": problem, "split": split,
            "num_steps": step, "score": score, "num_correct": 0, "num_rollouts": 0,
            "is_terminal": step == len(scores) - 1, "pipeline_seed": 0,
        }
        for place, (problem, scores) in enumerate(solutions)
        for step, score in enumerate(scores)
    ]  # fmt: skip
    return frame("scores", rows)


def test_a_verifier_that_is_off_by_a_factor_of_three_is_named_with_its_numbers():
    rows = labelled("q_weak", 0.3, 1, 10, count=60) + labelled("q", 0.3, 3, 10, count=60)
    [found] = worst_bins(frame("scores", rows))
    assert (found["verifier"], found["num_prefixes"]) == ("q_weak", 60)
    assert found["factor"] == pytest.approx(3)
    [words] = calibration_words([found])
    assert "Q of weak prover: where it says 0.30 on average, 0.10 of the rollouts" in words
    assert "too high by a factor of 3.0" in words


def test_a_score_that_is_too_low_is_said_to_be_too_low():
    found = worst_bins(frame("scores", labelled("q", 0.25, 6, 10, count=60)))
    assert "too low by a factor of 2.4" in calibration_words(found)[0]


@pytest.mark.parametrize(
    ("said", "num_correct", "count"),
    [
        pytest.param(0.3, 1, 19, id="too few prefixes"),
        pytest.param(0.3, 2, 20, id="chance may explain it"),
        pytest.param(0.04, 0, 500, id="no error that matters"),
        pytest.param(0.7, 5, 500, id="less than a factor of 1.5"),
    ],
)
def test_what_proves_nothing_or_hardly_matters_is_not_named(said, num_correct, count):
    rows = labelled("q", said, num_correct, 10, count=count)
    assert worst_bins(frame("scores", rows)) == []
    assert "No verifier is off" in calibration_words([])[0]


def test_the_drift_is_of_means_with_the_last_score_carried_on():
    drift = score_drift(paths([("a", [0.2, 0.4]), ("b", [0.4, 0.2, 0.6])]), confidence=0.95)
    assert [row["mean_score"] for row in drift] == pytest.approx([0.3, 0.3, 0.5])
    assert [row["change"] for row in drift] == pytest.approx([0.0, 0.0, 0.2])
    # Changes .2 and .2 after two steps do not differ; after one they are .2 and -.2: error .2.
    assert [row["error"] for row in drift] == pytest.approx([0.0, 0.2, 0.0], abs=1e-12)
    assert drift[0]["num_solutions"] == 2


def test_solutions_of_one_problem_count_as_one_for_the_error():
    one = score_drift(paths([("a", [0.2, 0.4]), ("b", [0.4, 0.2])]), confidence=0.95)
    copies = [("a", [0.2, 0.4])] * 9 + [("b", [0.4, 0.2])] * 9
    many = score_drift(paths(copies), confidence=0.95)
    assert many[1]["error"] == pytest.approx(one[1]["error"])


def martingale(seed, drift):
    """Scores of 200 problems with two solutions each; a step moves a score by .1 and the drift."""
    random = np.random.default_rng(seed)
    moves = random.choice([-0.1, 0.1], size=(400, 3)) + drift
    scores = 0.5 + np.concatenate([np.zeros((400, 1)), moves.cumsum(axis=1)], axis=1)
    return paths([(f"p{place // 2}", row) for place, row in enumerate(scores.tolist())])


def test_a_martingale_is_flat_and_a_drifting_score_is_not():
    flat = [
        all(row["is_flat"] for row in score_drift(martingale(seed, 0.0), confidence=0.95))
        for seed in range(40)
    ]
    # Nominally 95 %, and more, as errors of several steps go together.
    assert sum(flat) >= 34
    drifting = score_drift(martingale(0, -0.02), confidence=0.95)
    assert not drifting[-1]["is_flat"]
    assert "It is not flat: \u2212" in drift_words(drifting)
    assert "flat within its error" in drift_words(score_drift(martingale(1, 0.0), confidence=0.95))


def test_validation_problems_and_other_verifiers_have_no_part_in_the_drift():
    test = paths([("a", [0.2, 0.4]), ("b", [0.4, 0.2])])
    others = pl.concat(
        [
            test,
            paths([("c", [0.9, 0.1])], split="validation"),
            test.with_columns(verifier=pl.lit("q_weak"), score=pl.lit(0.9)),
        ]
    )
    assert score_drift(others, confidence=0.95) == score_drift(test, confidence=0.95)
    assert score_drift(test.clear(), confidence=0.95) == []
    assert drift_words([]) == ""
