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
         "num_searches", "accuracy", "pass_rate", "num_candidates", "generated_tokens",
         "scored_prefixes", "scored_tokens"),
        [
            ("test", "single", "", 1, "", 1, 2, 0.5, 1.0, 1.0, 30.0, 0.0, 0.0),
            ("test", "best_of_n", "orm_all", 4, "orm", 1, 1, 1.0, 1.0, 4.0, 120.0, 4.0, 150.0),
        ],
    ),
    "final_picks": (
        ("strategy", "verifier", "num_samples", "pick", "is_used", "num_problems", "accuracy"),
        [
            ("best_of_n", "orm_all", 4, "orm", True, 1, 1.0),
            ("best_of_n", "orm_all", 4, "q_last", False, 1, 0.0),
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
    # No unit of the hand-made store says that it is a value of the base.
    "score_drift": (("verifier", "split", "num_steps", "change", "error"), []),
    "overlap": (("same", "problem", "splits", "problem_ids"), []),
    # -log2 of the Wilson widths: z^2 / (n + z^2) at 0 of n, for 8 that is 3.8415 / 11.8415 = .3244.
    "cheapest_labels": (
        ("policy", "num_steps", "stopping_rule", "num_labels", "num_rollouts", "generated_tokens",
         "mean_width", "bits", "tokens_per_bit"),
        [
            ("weak", 2, "fixed", 2, 8, 80, 0.571831, 1.642611, 48.702957),
            ("base", 2, "fixed", 2, 16, 160, 0.324408, 3.248241, 49.257425),
            ("weak", 0, "fixed", 2, 7, 80, 0.607634, 1.445793, 55.33297),
            ("weak", 1, "fixed", 1, 4, 40, 0.653771, 0.613143, 65.237643),
            ("base", 0, "fixed", 2, 20, 200, 0.405818, 2.661451, 75.14699),
            ("base", 1, "fixed", 1, 8, 80, 0.519245, 0.945512, 84.610271),
        ],
    ),
    "step_disagreement": (
        ("prover", "step", "step_text", "base_advantage", "prover_advantage", "difference",
         "is_opposed", "solution_id"),
        [
            ("weak", 2, "4 * 10 = 40 left 4 40", -0.75, -0.25, 0.5, False, "wrong"),
            ("weak", 1, "13 - 9 = 4 left 4 4 10", 0.333333, 0.0, -0.333333, False, "right"),
            ("weak", 3, "6 * 4 = 24 left 24", 0.0, 0.25, 0.25, False, "right"),
            ("weak", 2, "10 - 4 = 6 left 4 6", 0.25, 0.5, 0.25, False, "right"),
            ("weak", 3, "40 - 4 = 24 left 24", 0.0, 0.0, 0.0, False, "wrong"),
            ("weak", 1, "1 + 1 = 24 left 24", 0.0, 0.0, 0.0, False, "lost"),
        ],
    ),
    "daily_cost": (
        ("stage", "policy", "num_units", "seconds", "generated_tokens"),
        [
            ("evaluate", "", 2, 0.0, 0.0), ("label", "base", 1, 4.0, 100.0),
            ("label", "weak", 1, 4.0, 100.0), ("problems", "", 1, 0.5, 0.0),
            ("sample", "base", 3, 3.0, 60.0), ("train", "", 1, 0.0, 0.0),
        ],
    ),
    # 4 seconds of each unit at 9 an hour are 0.01 for 5 labels.
    "label_price": (
        ("policy", "num_labels", "num_rollouts", "generated_tokens", "seconds", "price",
         "seconds_per_1000_labels", "price_per_1000_labels"),
        [
            ("base", 5, 44, 440, 4.0, 0.01, 800.0, 2.0),
            ("weak", 5, 19, 200, 4.0, 0.01, 800.0, 2.0),
        ],
    ),
    # Two solutions share the root (120 and 40 tokens) and the first step (80 and 40).
    "duplicates": (
        ("policy", "num_solutions", "num_distinct_solutions", "num_open_states",
         "num_distinct_prefixes", "generated_tokens", "saved_tokens", "saved_rollouts",
         "share_saved"),
        [
            ("base", 3, 3, 7, 5, 440, 200, 20, 0.3125),
            ("weak", 0, 0, 7, 5, 200, 80, 8, 0.285714),
        ],
    ),
    "failures": (
        ("policy", "kind", "num_samples", "num_correct", "num_truncated", "num_unparsed",
         "num_failed", "share_truncated", "share_failed"),
        [
            ("base", "rollouts", 44, 19, 2, 0, 0, 0.045455, 0.0),
            ("base", "solutions", 3, 1, 0, 0, 0, 0.0, 0.0),
            ("weak", "rollouts", 20, 5, 0, 0, 1, 0.0, 0.05),
        ],
    ),
    "first_errors": (
        ("policy", "status", "first_error", "num_solutions", "share", "mean_zero_rollouts",
         "num_not_monotone", "mean_num_labelled"),
        [
            ("base", "correct", None, 1, 0.333333, None, 0, 3.0),
            ("base", "found", 2, 1, 0.333333, 8.0, 0, 3.0),
            ("base", "hopeless", None, 1, 0.333333, 8.0, 0, 1.0),
            ("weak", "correct", None, 1, 0.333333, None, 0, 3.0),
            ("weak", "found", 2, 1, 0.333333, 4.0, 0, 3.0),
            ("weak", "hopeless", None, 1, 0.333333, 3.0, 0, 1.0),
        ],
    ),
    "planners": (
        ("policy", "stopping_rule", "num_blocks", "num_rollouts", "num_correct",
         "generated_tokens", "num_prefixes", "share_of_rollouts"),
        [
            ("base", "fixed", 11, 44, 19, 440, 5, 1.0),
            ("weak", "fixed", 5, 19, 5, 200, 5, 1.0),
        ],
    ),
    "pits": (("policy",), []),
    # The two raw rollouts start after step 1, are right and wrong, and pass good2; each of the
    # three solutions passes its own prefixes.
    "passing_targets": (
        ("question", "num_steps", "prefix_id", "own_rollouts", "own_correct", "num_rollouts",
         "num_correct", "target"),
        [
            ("1 1 1 1", 0, "ones", 0, 0, 1, 0, 0.0),
            ("4 9 10 13", 0, "root", 0, 0, 2, 1, 0.5),
            ("4 9 10 13", 1, "first", 2, 1, 4, 2, 0.5),
            ("4 9 10 13", 2, "good2", 0, 0, 3, 2, 0.666667),
            ("4 9 10 13", 2, "bad2", 0, 0, 1, 0, 0.0),
        ],
    ),
    # Its golden rows are PRMBench's own, in tests/tasks/test_importing.py.
    "imported_first_errors": (("solution_id",), []),
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
