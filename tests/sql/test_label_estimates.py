"""What the database says of a value is right under every planner, whatever it looked at."""

from collections import defaultdict

import numpy as np
import pytest

from pav.models.planners.blocks import counts
from pav.models.prefixes import prefix_id
from pav.tasks.database.database import build_database, run_query
from pav.tasks.database.inputs import Sources
from pav.tasks.store.datasets import frame
from tests.models.planners.known_values import PLANNERS, VALUES, labels_of

LABELS = """
select
    prefix_id, num_correct, num_rollouts, fresh_correct, fresh_rollouts,
    best_of(first_correct, first_rollouts, 1) as best_of_1,
    best_of(first_correct, first_rollouts, 2) as best_of_2
from labels
"""


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Returns what a planner draws of many problems as the database has it, a dict a prefix."""
    made = {}

    def answer(planner):
        if planner not in made:
            made[planner] = published(tmp_path_factory.mktemp("labels"), planner)
        return made[planner]

    return answer


def published(folder, planner):
    _, blocks = labels_of(planner, problems=250, solutions=4, seed=4)
    rows, prefixes = [], {}
    for block, rolled in blocks:
        right, number = counts([rolled])
        name = prefix_id(block.prefix)
        prefixes[name] = block.prefix
        rows.append({
            "prefix_id": name, "policy_id": "p", "seed": 0, "block": block.number,
            "num_rollouts": number, "num_correct": right, "num_truncated": 0, "num_unparsed": 0,
            "num_failed": 0, "generated_tokens": 1, "stopping_rule": block.rule,
        })  # fmt: skip
    path = folder / "label_blocks.parquet"
    frame("label_blocks", rows).write_parquet(path)
    build_database(folder / "labels.duckdb", Sources({"label_blocks": [path]}))
    found = run_query(folder / "labels.duckdb", LABELS).to_dicts()
    return [row | {"prefix": prefixes[row["prefix_id"]]} for row in found]


def standard_errors(errors):
    """Return how far a sum of errors is from 0; pairs of a problem and an error."""
    sums: dict[str, float] = defaultdict(float)
    for problem, error in errors:
        sums[problem] += error
    found = np.array(list(sums.values()))
    return float(abs(found.sum()) / np.sqrt((found**2).sum()))


def by_steps(rows):
    groups = defaultdict(list)
    for row in rows:
        groups[row["prefix"].steps].append(row)
    return groups.items()


@pytest.mark.parametrize("planner", PLANNERS)
def test_counts_over_prefixes_of_one_value_give_that_value(labels, planner):
    for steps, rows in by_steps(labels(planner)):
        errors = [
            (row["prefix"].problem_id, row["num_correct"] - VALUES[steps] * row["num_rollouts"])
            for row in rows
        ]
        assert standard_errors(errors) < 3


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("planner", PLANNERS)
def test_first_counts_give_the_best_of_k_of_each_prefix_on_average(labels, planner, k):
    known = [row for row in labels(planner) if row[f"best_of_{k}"] is not None]
    assert len({row["prefix"].steps for row in known}) >= 5
    for steps, rows in by_steps(known):
        true = 1 - (1 - VALUES[steps]) ** k
        errors = [(row["prefix"].problem_id, row[f"best_of_{k}"] - true) for row in rows]
        assert standard_errors(errors) < 3


@pytest.mark.parametrize("planner", ["first_pit", "binary_search", "tree_search"])
def test_fresh_counts_of_pits_give_their_value_where_all_counts_are_too_low(labels, planner):
    pits = [
        row for row in labels(planner)
        if row["fresh_rollouts"] and row["num_correct"] == row["fresh_correct"]
    ]  # fmt: skip
    for right, number, is_right in (
        ("fresh_correct", "fresh_rollouts", True), ("num_correct", "num_rollouts", False),
    ):  # fmt: skip
        errors = [
            (row["prefix"].problem_id, row[right] - VALUES[row["prefix"].steps] * row[number])
            for row in pits
        ]
        assert (standard_errors(errors) < 3) is is_right
