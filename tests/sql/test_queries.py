"""Golden rows of every saved query on the hand-made store."""

import pytest

from pav import sql

# name -> (columns compared, rows); floats are rounded to six decimals
GOLDEN = {
    "labels": (
        ("question", "split", "num_steps", "policy", "num_correct", "num_rollouts",
         "num_truncated", "num_failed", "value", "generated_tokens"),
        [
            ("1 1 1 1", "train", 0, "base", 0, 8, 1, 0, 0.0, 80),
            ("1 1 1 1", "train", 0, "weak", 0, 3, 0, 1, 0.0, 40),
            ("4 9 10 13", "train", 0, "base", 5, 12, 1, 0, 0.416667, 120),
            ("4 9 10 13", "train", 0, "weak", 1, 4, 0, 0, 0.25, 40),
            ("4 9 10 13", "train", 1, "base", 6, 8, 0, 0, 0.75, 80),
            ("4 9 10 13", "train", 1, "weak", 1, 4, 0, 0, 0.25, 40),
            ("4 9 10 13", "train", 2, "base", 8, 8, 0, 0, 1.0, 80),
            ("4 9 10 13", "train", 2, "weak", 3, 4, 0, 0, 0.75, 40),
            ("4 9 10 13", "train", 2, "base", 0, 8, 0, 0, 0.0, 80),
            ("4 9 10 13", "train", 2, "weak", 0, 4, 0, 0, 0.0, 40),
        ],
    ),
    "yield": (
        ("problem_id", "num_solutions", "num_rollouts", "num_correct_rollouts", "outcome",
         "commonest_reason"),
        [
            ("ones", 1, 11, 0, "no correct response anywhere", "wrong arithmetic at step 1"),
            ("twelve", 0, 0, 0, "not sampled", None),
        ],
    ),
    "advantages": (
        ("policy", "direction", "step", "step_text", "advantage", "solution_id"),
        [
            ("base", "rise", 1, "13 - 9 = 4 left 4 4 10", 0.333333, "right"),
            ("base", "rise", 2, "10 - 4 = 6 left 4 6", 0.25, "right"),
            ("base", "fall", 2, "4 * 10 = 40 left 4 40", -0.75, "wrong"),
            ("weak", "rise", 2, "10 - 4 = 6 left 4 6", 0.5, "right"),
            ("weak", "rise", 3, "6 * 4 = 24 left 24", 0.25, "right"),
            ("weak", "fall", 2, "4 * 10 = 40 left 4 40", -0.25, "wrong"),
        ],
    ),
    "disagreement": (
        ("prover", "prefix_id", "base_value", "prover_value", "difference", "base_rollouts"),
        [
            ("weak", "first", 0.75, 0.25, -0.5, 8),
            ("weak", "good2", 1.0, 0.75, -0.25, 8),
            ("weak", "root", 0.416667, 0.25, -0.166667, 12),
            ("weak", "bad2", 0.0, 0.0, 0.0, 8),
            ("weak", "ones", 0.0, 0.0, 0.0, 8),
        ],
    ),
    "cost": (
        ("stage", "policy", "item", "num_units", "amount"),
        [
            ("label", "base", "generated_tokens", 1, 100.0),
            ("label", "base", "seconds", 1, 4.0),
            ("label", "weak", "generated_tokens", 1, 100.0),
            ("label", "weak", "seconds", 1, 4.0),
            ("problems", "", "seconds", 1, 0.5),
            ("sample", "base", "generated_tokens", 1, 60.0),
            ("sample", "base", "seconds", 2, 3.0),
        ],
    ),
    "calibration": (
        ("verifier", "pipeline_seed", "split", "score_from", "num_scores", "mean_score",
         "mean_label", "gap"),
        [
            ("q", 0, "train", 0.2, 2, 0.27, 0.375, -0.105),
            ("q", 0, "train", 0.9, 1, 1.0, 1.0, 0.0),
        ],
    ),
    "search": (
        ("split", "strategy", "verifier", "num_samples", "final_pick", "num_problems",
         "num_searches", "accuracy", "pass_rate", "accuracy_q_last", "accuracy_orm",
         "num_candidates", "generated_tokens", "scored_prefixes", "scored_tokens"),
        [
            ("test", "single", "", 1, "", 1, 2, 0.5, 1.0, None, None, 1.0, 30.0, 0.0, 0.0),
            ("test", "best_of_n", "orm_all", 4, "orm", 1, 1, 1.0, 1.0, 0.0, 1.0, 4.0, 120.0, 4.0,
             150.0),
        ],
    ),
    "label_noise": (
        ("policy", "step", "num_steps", "mean_value_before", "mean_advantage", "mean_size",
         "root_mean_square_se", "share_beyond_noise"),
        [
            ("base", 1, 3, 0.277778, 0.222222, 0.222222, 0.17067, 0.0),
            ("base", 2, 2, 0.75, -0.25, 0.5, 0.153093, 0.5),
            ("base", 3, 2, 0.5, 0.0, 0.0, 0.0, 0.0),
            ("weak", 1, 3, 0.166667, 0.0, 0.0, 0.25, 0.0),
            ("weak", 2, 2, 0.25, 0.125, 0.375, 0.265165, 0.0),
            ("weak", 3, 2, 0.375, 0.125, 0.125, 0.153093, 0.5),
        ],
    ),
    "overlap": (("canonical_key",), []),
    # Its golden rows are PRMBench's own, in tests/tasks/test_importing.py.
    "outside_first_errors": (("solution_id",), []),
    "verdicts": (
        ("policy", "split", "verdict", "reason", "num_solutions", "share"),
        [
            ("base", "train", "correct", "", 1, 0.333333),
            ("base", "train", "wrong", "wrong arithmetic at step 1", 1, 0.333333),
            ("base", "train", "wrong", "wrong arithmetic at step 3", 1, 0.333333),
        ],
    ),
    "hardest": (
        ("problem_id", "num_correct", "num_rollouts", "value", "wilson_high", "num_solutions",
         "num_correct_solutions"),
        [
            ("ones", 0, 8, 0.0, 0.324408, 1, 0),
            ("hand", 5, 12, 0.416667, 0.680489, 2, 1),
        ],
    ),
    "training": (
        ("name", "pipeline_seed", "steps", "last_train_loss", "best_validation_loss", "best_step"),
        [("q", 0, 300, 0.5, 0.3, 200)],
    ),
    "runs": (
        ("run_id", "is_last", "num_units", "seconds"),
        [("run-2", True, 9, 11.5), ("run-1", False, 8, 11.5)],
    ),
}  # fmt: skip


def _rounded(value):
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("name", sql.names("queries"))
def test_a_saved_query_gives_its_golden_rows(ask, name):
    columns, expected = GOLDEN[name]
    found = [tuple(_rounded(row[column]) for column in columns) for row in ask(name)]
    assert found == expected
