import pytest

from pav import sql


def rows(ask, columns, view, order, where="true"):
    table, _, by = view.partition(" group by ")
    grouped = f"group by {by}" if by else ""
    found = ask(f"select {columns} from {table} where {where} {grouped} order by {order}")
    return [tuple(row.values()) for row in found]


def test_labels_sum_the_distinct_blocks_of_all_seeds(ask):
    columns = (
        "policy_id[1], prefix_id, num_blocks, num_correct, num_rollouts, num_truncated, "
        "num_failed, generated_tokens"
    )
    found = rows(ask, columns, "labels", "policy_id, prefix_id")
    assert found == [
        ("b", "bad2", 2, 0, 8, 0, 0, 80), ("b", "first", 2, 6, 8, 0, 0, 80),
        ("b", "good2", 2, 8, 8, 0, 0, 80), ("b", "ones", 2, 0, 8, 1, 0, 80),
        ("b", "root", 3, 5, 12, 1, 0, 120), ("w", "bad2", 1, 0, 4, 0, 0, 40),
        ("w", "first", 1, 1, 4, 0, 0, 40), ("w", "good2", 1, 3, 4, 0, 0, 40),
        ("w", "ones", 1, 0, 3, 0, 1, 40), ("w", "root", 1, 1, 4, 0, 0, 40),
    ]  # fmt: skip


def test_labels_by_seed_keep_pipeline_seeds_apart(ask):
    found = rows(ask, "seed, num_correct, num_rollouts", "labels_by_seed", "seed",
                 "prefix_id = 'root' and policy_id[1] = 'b'")  # fmt: skip
    assert found == [(0, 3, 8), (1, 2, 4)]


def test_what_two_runs_sampled_alike_stands_once(ask):
    assert rows(ask, "solution_id", "solutions", "all") == [("lost",), ("right",), ("wrong",)]
    assert rows(ask, "count(*)", "prefixes", "1") == [(8,)]
    assert rows(ask, "count(*)", "solution_prefixes", "1") == [(10,)]


def test_a_value_is_the_share_of_correct_rollouts_with_its_error(ask):
    [(value, se, low, high)] = rows(ask, "value, se, wilson_low, wilson_high", "value_estimates",
                                    "1", "prefix_id = 'first' and policy_id[1] = 'b'")  # fmt: skip
    assert (value, se) == pytest.approx((0.75, (0.75 * 0.25 / 8) ** 0.5))
    assert (low, high) == pytest.approx((0.40927, 0.92852), abs=1e-5)


def test_a_terminal_prefix_has_its_verdict_for_a_value_under_every_policy(ask):
    found = rows(ask, "prefix_id, policy_id[1], value, se, wilson_low, wilson_high, num_rollouts",
                 "value_estimates", "1, 2", "is_terminal")  # fmt: skip
    assert found == [
        ("bad3", "b", 0.0, 0.0, 0.0, 0.0, None), ("bad3", "w", 0.0, 0.0, 0.0, 0.0, None),
        ("good3", "b", 1.0, 0.0, 1.0, 1.0, None), ("good3", "w", 1.0, 0.0, 1.0, 1.0, None),
        ("lost", "b", 0.0, 0.0, 0.0, 0.0, None), ("lost", "w", 0.0, 0.0, 0.0, 0.0, None),
    ]  # fmt: skip


def test_step_values_start_at_the_bare_problem_and_end_at_the_verdict(ask):
    found = rows(ask, "num_steps, value", "step_values", "num_steps",
                 "solution_id = 'right' and policy_id[1] = 'b'")  # fmt: skip
    assert found == [(0, 5 / 12), (1, 0.75), (2, 1.0), (3, 1.0)]


def test_an_advantage_is_the_change_of_value_that_a_step_makes(ask):
    found = rows(ask, "solution_id, step, step_text, value_before, value_after, advantage, se",
                 "advantages", "1, 2", "problem_id = 'hand' and policy_id[1] = 'w'")  # fmt: skip
    quarter, third = (3 / 64) ** 0.5, (6 / 64) ** 0.5
    assert [row[:6] for row in found] == [
        ("right", 1, "13 - 9 = 4 left 4 4 10\n", 0.25, 0.25, 0.0),
        ("right", 2, "10 - 4 = 6 left 4 6\n", 0.25, 0.75, 0.5),
        ("right", 3, "6 * 4 = 24 left 24", 0.75, 1.0, 0.25),
        ("wrong", 1, "13 - 9 = 4 left 4 4 10\n", 0.25, 0.25, 0.0),
        ("wrong", 2, "4 * 10 = 40 left 4 40\n", 0.25, 0.0, -0.25),
        ("wrong", 3, "40 - 4 = 24 left 24", 0.0, 0.0, 0.0),
    ]
    expected = [third, third, quarter, third, quarter, 0.0]
    assert [row[6] for row in found] == pytest.approx(expected)


def test_advantages_sum_to_verdict_minus_root_value(ask):
    found = ask(
        "select solution_id, policy_id[1] as policy, sum(advantage) as total from advantages "
        "group by all order by all"
    )
    roots = {("hand", "b"): 5 / 12, ("hand", "w"): 0.25, ("ones", "b"): 0.0, ("ones", "w"): 0.0}
    problem = {"right": "hand", "wrong": "hand", "lost": "ones"}
    for row in found:
        root = roots[problem[row["solution_id"]], row["policy"]]
        assert row["total"] == pytest.approx((row["solution_id"] == "right") - root)
    assert len(found) == 6


def test_an_advantage_interval_is_newcombes_and_does_not_vanish_at_none_of_n(ask):
    [(low, high)] = rows(ask, "advantage_low, advantage_high", "advantages", "1",
                         "solution_id = 'lost' and policy_id[1] = 'b'")  # fmt: skip
    # From 0 of 8 (Wilson 0 to z^2 / (8 + z^2)) to a certain 0.
    assert (low, high) == pytest.approx((-3.8414588 / 11.8414588, 0.0))


def test_prover_disagreement_pairs_the_policies_of_one_run(ask):
    found = rows(ask, "prefix_id, prover, base_value, prover_value, round(difference, 6)",
                 "prover_disagreement", "prefix_id")  # fmt: skip
    assert found == [
        ("bad2", "weak", 0.0, 0.0, 0.0), ("first", "weak", 0.75, 0.25, -0.5),
        ("good2", "weak", 1.0, 0.75, -0.25), ("ones", "weak", 0.0, 0.0, 0.0),
        ("root", "weak", 5 / 12, 0.25, -0.166667),
    ]  # fmt: skip


def test_search_results_hold_the_last_run_and_all_search_results_every_run(ask):
    assert rows(ask, "run_id, strategy, seed", "search_results", "all") == [
        ("run-2", "best_of_n", 0), ("run-2", "single", 0), ("run-2", "single", 1)]  # fmt: skip
    assert rows(ask, "run_id, count(*)", "all_search_results group by run_id", "all") == [
        ("run-1", 2), ("run-2", 3)]  # fmt: skip


def test_runs_units_policies_and_verifiers_say_where_they_come_from(ask):
    assert rows(ask, "run_id, is_last, settings->>'$.train.steps'", "runs", "all") == [
        ("run-1", False, "300"), ("run-2", True, "300")]  # fmt: skip
    assert rows(ask, "name, parent_policy_id, round, unit_id", "policies", "name") == [
        ("base", "w" * 16, 0, "pretrain-1"), ("weak", "from scratch", 0, "pretrain-1")]  # fmt: skip
    assert rows(ask, "name, kind, checkpoint, details->>'$.auc'", "verifiers", "1") == [
        ("q", "q", "data/q/model", "0.9")]  # fmt: skip
    assert rows(ask, "stage, count(*)", "units group by stage", "all") == [
        ("evaluate", 2), ("label", 2), ("problems", 1), ("sample", 3), ("train", 1)]  # fmt: skip
    orphans = "run_units anti join units using (unit_id)"
    assert rows(ask, "count(*)", orphans, "1") == [(0,)]


def test_every_table_and_view_says_its_grain(ask):
    found = ask(
        "select table_name, comment from duckdb_tables() where database_name = 'labels_db' "
        "union all select view_name, comment from duckdb_views() "
        "where database_name = 'labels_db' and not internal"
    )
    assert len(found) == len(sql.names("schema")) + len(sql.names("views"))
    assert all(row["comment"].startswith("One row") for row in found)


def test_the_schema_version_stands_in_the_database(ask):
    from pav.tasks.database.database import DATABASE_VERSION

    assert rows(ask, "version", "schema_version", "1") == [(DATABASE_VERSION,)]
