"""What is derived from labels: on the hand-made store, and on solutions made up here."""

import pytest

from pav.models.verifiers.completions import rollout_completions, solution_completions
from pav.models.verifiers.data import passing_tallies
from pav.tasks.database.database import build_database, run_query
from pav.tasks.database.inputs import Sources
from pav.tasks.store.datasets import frame
from pav.tasks.store.prefix_tables import with_steps

STEP = "sequential block=4 width=0.3 threshold=0 confidence=0.95 most=16"


@pytest.fixture
def labelled(tmp_path):
    """Returns rows of SQL on solutions of one problem, all with the policy `p`.

    A solution is (name, verdict, prefixes from the bare problem to its end); a block is
    (prefix, right of 4, rule).
    """

    def answer(query, solutions, blocks):
        ends = {names[-1]: verdict for _, verdict, names in solutions if verdict != "truncated"}
        depths = {name: depth for _, _, names in solutions for depth, name in enumerate(names)}
        tables = {
            "problems": [{"problem_id": "x", "split": "train", "canonical_key": "x"}],
            "solutions": [
                {"solution_id": name, "problem_id": "x", "policy_id": "p", "verdict": verdict,
                 "num_steps": len(names) - 1, "text": names[-1], "steps": list(names[1:]),
                 "finish_reason": "length" if verdict == "truncated" else "stop"}
                for name, verdict, names in solutions
            ],
            "prefixes": [
                {"prefix_id": name, "problem_id": "x", "num_steps": depth, "text": name,
                 "is_terminal": name in ends, "verdict": ends.get(name)}
                for name, depth in depths.items()
            ],
            "solution_prefixes": [
                {"solution_id": name, "num_steps": number, "prefix_id": prefix}
                for name, _, names in solutions for number, prefix in enumerate(names)
            ],
            "label_blocks": [
                {"prefix_id": prefix, "policy_id": "p", "seed": 0, "block": number,
                 "num_rollouts": 4, "num_correct": correct, "num_truncated": 0, "num_unparsed": 0,
                 "num_failed": 0, "generated_tokens": 10, "stopping_rule": rule}
                for number, (prefix, correct, rule) in enumerate(blocks)
            ],
        }  # fmt: skip
        files = {}
        for name, rows in tables.items():
            files[name] = [tmp_path / f"{name}.parquet"]
            frame(name, rows).write_parquet(files[name][0])
        build_database(tmp_path / "labels.duckdb", Sources(files))
        return run_query(tmp_path / "labels.duckdb", query).rows()

    return answer


WRONG = [("s", "wrong", ("r", "a", "b", "c", "end"))]
ERRORS = "select status, first_error, num_labelled, is_monotone from first_errors"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Every prefix labelled: the first of none right is the error.
        ({"r": 2, "a": 1, "b": 0, "c": 0}, ("found", 2, 4, True)),
        # A right one after it breaks the order; the first is still the error.
        ({"r": 2, "a": 0, "b": 1, "c": 0}, ("found", 1, 4, False)),
        # All right up to the last step: the verdict is certain, so that step is the error.
        ({"r": 2, "a": 1, "b": 1, "c": 1}, ("found", 4, 4, True)),
        # As binary search leaves it: b and its parent decide, c was never needed.
        ({"r": 2, "a": 1, "b": 0}, ("found", 2, 3, True)),
        # Nobody looked between a and c.
        ({"r": 2, "a": 1, "c": 0}, ("not_located", None, 3, True)),
        ({"b": 0}, ("not_located", None, 1, True)),
        ({"r": 0, "a": 0}, ("hopeless", None, 2, True)),
        ({"r": 0, "a": 1}, ("hopeless", None, 2, False)),
    ],
)
def test_the_first_error_is_the_first_step_without_a_right_rollout(labelled, counts, expected):
    blocks = [(name, correct, "fixed") for name, correct in counts.items()]
    assert labelled(ERRORS, WRONG, blocks) == [expected]


def test_the_first_error_counts_the_blocks_of_a_search_too(labelled):
    blocks = [("r", 1, "search"), ("a", 0, "search"), ("a", 1, "fresh"), ("b", 0, "search")]
    assert labelled(ERRORS, WRONG, blocks) == [("found", 2, 3, True)]


def test_a_right_solution_has_no_first_error_and_a_pit_in_it_breaks_the_order(labelled):
    right = [("s", "correct", ("r", "a", "end"))]
    blocks = [("r", 1, "fixed"), ("a", 0, "fixed")]
    assert labelled(ERRORS, right, blocks) == [("correct", None, 2, False)]


@pytest.mark.parametrize("verdict", ["truncated", "failed"])
def test_an_end_that_is_no_outcome_is_no_zero(labelled, verdict):
    open_end = [("s", verdict, ("r", "a", "end"))]
    blocks = [("r", 1, "fixed"), ("a", 1, "fixed")]
    assert labelled(ERRORS, open_end, blocks) == [("no_zero", None, 2, True)]


def test_the_open_end_of_a_solution_that_was_cut_off_counts_by_its_own_rollouts(labelled):
    cut_off = [("s", "truncated", ("r", "a", "end"))]
    blocks = [("r", 1, "fixed"), ("a", 1, "fixed"), ("end", 0, "fixed")]
    assert labelled(ERRORS, cut_off, blocks) == [("found", 2, 3, True)]


# Values: a 1, b 3/4, c 2/4, d 1/4, e 0. Right solutions go by a, b and c, wrong ones by c, d and e.
FAN = [
    ("s1", "correct", ("r", "a", "a!")), ("s2", "correct", ("r", "b", "b!")),
    ("s3", "correct", ("r", "c", "c!")), ("s4", "wrong", ("r", "c", "c?")),
    ("s5", "wrong", ("r", "d", "d?")), ("s6", "wrong", ("r", "e", "e?")),
]  # fmt: skip
FAN_BLOCKS = [
    (name, correct, "fixed") for name, correct in zip("rabcde", (2, 4, 3, 2, 1, 0), strict=True)
]


def test_pairs_are_the_two_best_on_right_over_the_two_worst_on_wrong_solutions(labelled):
    query = (
        "select preferred_prefix_id, refused_prefix_id, preferred_value, refused_value "
        "from preference_pairs where kind = 'step' and prefix_id = 'r' and step = 1 order by 1, 2"
    )
    assert labelled(query, FAN, FAN_BLOCKS) == [
        ("a", "d", 1.0, 0.25), ("a", "e", 1.0, 0.0), ("b", "d", 0.75, 0.25), ("b", "e", 0.75, 0.0),
    ]  # fmt: skip


def test_at_the_end_whole_solutions_are_paired_by_their_mean_value(labelled):
    query = (
        "select preferred_prefix_id, refused_prefix_id, preferred_value, refused_value "
        "from preference_pairs where kind = 'solution' and prefix_id = 'r' order by 1, 2"
    )
    # Means of the step and the verdict: a! (1 + 1) / 2, b! (.75 + 1) / 2; d? .25 / 2, e? 0.
    assert labelled(query, FAN, FAN_BLOCKS) == [
        ("a!", "d?", 1.0, 0.125), ("a!", "e?", 1.0, 0.0),
        ("b!", "d?", 0.875, 0.125), ("b!", "e?", 0.875, 0.0),
    ]  # fmt: skip


def test_steps_of_one_value_or_without_a_wrong_sibling_make_no_pair(labelled):
    equal = [("s1", "correct", ("r", "a", "a!")), ("s2", "wrong", ("r", "b", "b?"))]
    query = "select count(*) from preference_pairs where kind = 'step'"
    assert labelled(query, equal, [("a", 2, "fixed"), ("b", 2, "fixed")]) == [(0,)]
    right = [("s1", "correct", ("r", "a", "a!")), ("s2", "correct", ("r", "b", "b!"))]
    assert labelled(query, right, [("a", 3, "fixed"), ("b", 1, "fixed")]) == [(0,)]


def test_hard_is_any_right_and_soft_the_share_and_the_end_its_verdict(labelled):
    query = "select step, hard, soft, num_rollouts from hard_soft_labels order by step"
    blocks = [("r", 2, "fixed"), ("a", 1, "fixed"), ("b", 0, "fixed")]
    assert labelled(query, WRONG, blocks) == [
        (1, 1, 0.25, 4), (2, 0, 0.0, 4), (4, 0, 0.0, None)]  # fmt: skip


def test_value_targets_are_the_counts_alone_and_verdicts_at_the_end(labelled):
    columns = "prefix_id, split, num_correct, num_rollouts, target"
    query = f"select {columns} from value_targets order by 1"
    assert labelled(query, WRONG, [("a", 1, "fixed"), ("a", 2, STEP)]) == [
        ("a", "train", 3, 8, 0.375), ("end", "train", None, None, 0.0)]  # fmt: skip


def test_progress_of_best_of_k_uses_the_first_blocks_alone(labelled):
    query = (
        "select step, prover_value_before, prover_value_after, advantage, base_value "
        "from progress('p', 'p', {}) order by step"
    )
    short = [("s", "correct", ("r", "a", "end"))]
    blocks = [("r", 1, "fixed"), ("r", 0, STEP), ("a", 2, "fixed"), ("a", 4, "allocated")]
    # K = 1 takes all counts: 1/8 and 6/8; K = 2 the fixed ones: 1 of 4 and 2 of 4.
    assert labelled(query.format(1), short, blocks) == [
        (1, 0.125, 0.75, 0.625, 0.75), (2, 0.75, 1.0, 0.25, 1.0)]  # fmt: skip
    assert labelled(query.format(2), short, blocks) == [
        (1, 0.5, pytest.approx(5 / 6), pytest.approx(1 / 3), 0.75),
        (2, pytest.approx(5 / 6), 1.0, pytest.approx(1 / 6), 1.0),
    ]
    # Blocks of 4 tell nothing of 5 tries; the end has its verdict for every K.
    assert labelled(query.format(5), short, blocks) == [
        (1, None, None, None, 0.75), (2, None, 1.0, None, 1.0)]  # fmt: skip


def test_progress_takes_roles_names_and_ids_and_any_prover(ask):
    columns = "solution_id, step, base_value, prover_value_before, prover_value_after, advantage"
    found = ask(f"select {columns} from progress('base', 'weak', 1) order by all")
    assert found == ask(
        f"select {columns} from progress('{'b' * 16}', '{'w' * 16}', 1) order by all"
    )
    assert tuple(found[2].values()) == ("right", 2, 1.0, 0.25, 0.75, 0.5)
    assert tuple(found[5].values()) == ("wrong", 2, 0.0, 0.25, 0.0, -0.25)
    assert len(found) == 7


def test_progress_of_the_prover_itself_is_the_advantage_view(ask):
    mine = ask("select solution_id, step, advantage from progress('base', 'base', 1) order by all")
    assert mine == ask(
        "select solution_id, step, advantage from advantages "
        f"where policy_id = '{'b' * 16}' order by all"
    )


def test_an_effective_reward_is_the_bases_value_and_alpha_times_the_provers_advantage(ask):
    found = ask(
        "select step, effective_reward from effective_rewards('base', 'weak', 1, 0.5) "
        "where solution_id = 'right' order by step"
    )
    assert [row["effective_reward"] for row in found] == [0.75, 1.25, 1.125]


def test_fresh_counts_of_a_pit_stand_in_columns_of_their_own(labelled):
    blocks = [("a", 0, "search"), ("a", 1, "fresh"), ("b", 2, "fixed"), ("b", 0, "fixed")]
    query = (
        "select prefix_id, num_correct, fresh_correct, fresh_rollouts, value from step_values "
        "where not is_terminal and num_steps > 0 order by 1"
    )
    assert labelled(query, WRONG, blocks) == [("a", 1, 1, 4, 0.125), ("b", 2, None, None, 0.25)]


def test_passing_targets_are_those_that_training_uses(store, ask):
    tables = {name: store_table(store, name) for name in ("rollouts", "prefixes", "solutions")}
    prefixes = with_steps(tables["prefixes"], tables["solutions"])
    policy_id = "b" * 16
    completions = [
        *rollout_completions(tables["rollouts"], prefixes, policy_id=policy_id),
        *solution_completions(tables["solutions"].unique("solution_id")),
    ]
    expected = passing_tallies((each, 1.0) for each in completions)
    texts = {(row["problem_id"], "".join(row["steps"])): row["prefix_id"]
             for row in prefixes.to_dicts() if not row["is_terminal"]}  # fmt: skip
    found = {row["prefix_id"]: (row["num_correct"], row["num_rollouts"])
             for row in ask("passing_targets")}  # fmt: skip
    assert found == {
        texts[key]: (tally.num_correct, tally.num_rollouts)
        for key, tally in expected.items()
        if key in texts
    }


def store_table(store, name):
    from pav.tasks.database.publishing import intact_manifests
    from pav.tasks.store.manifests import read_tables

    holders = [
        manifest
        for manifest in intact_manifests(store, check_content=False)
        if any(file.name == f"{name}.parquet" for file in manifest.files)
    ]
    return read_tables(store, holders, name)
