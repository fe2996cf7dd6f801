"""Which rows a verifier is trained, stopped and judged on, of listed samples."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from pav.models.errors import InputError
from pav.models.records import Prefix, Problem
from pav.models.verifiers.data import TargetSequence
from pav.models.verifiers.outcomes import ORM_ALL
from pav.models.verifiers.published import Published
from pav.tasks.train import data
from pav.tasks.train.data import (
    counts_by_prefix,
    held_out_solutions,
    make_examples,
    sample_sequences,
)
from pav.tasks.train.plan import TrainWork

# Two problems of each split, each with its own solutions of the base and of another policy.
SPLITS = ("train", "validation", "test")
PROBLEMS = {
    f"{split} {number}": Problem(f"{split} {number}", "countdown", "1 2 3 4", "24", split)
    for split in SPLITS
    for number in range(2)
}


def solution(problem, policy, steps, verdict):
    return {"solution_id": f"{problem} {policy} {steps}", "problem_id": problem,
            "policy_id": policy, "steps": steps, "verdict": verdict,
            "finish_reason": "stop"}  # fmt: skip


def rollout(problem, policy, steps, end, verdict="wrong"):
    return {"prefix_id": "/".join([problem, *steps]), "policy_id": policy, "steps": end,
            "verdict": verdict, "finish_reason": "stop"}  # fmt: skip


def published():
    solutions, prefixes, rollouts = [], [], []
    for name in PROBLEMS:
        solutions += [
            solution(name, "base", ["a\n", "seed"], "correct"),
            solution(name, "other", ["o\n", "theirs"], "wrong"),
        ]
        for steps in ([], ["a\n"], ["o\n"]):
            prefixes.append({"prefix_id": "/".join([name, *steps]), "problem_id": name,
                             "steps": steps, "is_terminal": False})  # fmt: skip
            rollouts += [
                rollout(name, "base", steps, ["r\n", "rolled"], "correct"),
                rollout(name, "base", steps, ["r\n", "rolled"], "wrong"),
                rollout(name, "base", steps, ["broken"], "failed"),
                rollout(name, "other", steps, ["r\n", "others"], "wrong"),
            ]
    names = [
        {"solution_id": row["solution_id"], "num_steps": end,
         "prefix_id": "/".join([row["problem_id"], *row["steps"][:end]])}
        for row in solutions for end in (1, 0)
    ]  # fmt: skip
    schema = {"steps": pl.List(pl.String)}
    return Published(
        pl.DataFrame(solutions, schema_overrides=schema),
        pl.DataFrame(prefixes, schema_overrides=schema),
        pl.DataFrame(names),
        pl.DataFrame(rollouts, schema_overrides=schema),
    )


def work(kind="q", *, targets="passing", head="base", seed=0):
    return TrainWork(
        verifier=kind, kind=kind, policies={"base": "base"}, head_policies=(head,), heads=(kind,),
        best_of_k=(1,), targets=targets, pipeline_seed=seed, domain="countdown", steps=9,
        batch_size=8, learning_rate=0.1, warmup_steps=0, weight_decay=0.0, eval_every=3,
        patience=1, balance=False, rephrase=0.0,
    )  # fmt: skip


def examples(*arguments, **options):
    return make_examples(work(*arguments, **options), published(), PROBLEMS)


def texts(sequences):
    return {each.prefix.text.replace("\n", " ") for each in sequences}


KINDS = [("q", "passing"), ("q", "counts"), ("orm_all", ""), ("orm_seed", "")]


@pytest.mark.parametrize(("kind", "targets"), KINDS)
@pytest.mark.parametrize("head", ["base", "other"])
def test_no_row_of_another_split_trains_or_stops_a_verifier(kind, targets, head):
    found = examples(kind, targets=targets, head=head)
    for part, split in (("training", "train"), ("validation", "validation")):
        names = {each.prefix.problem_id for each in getattr(found, part)}
        assert names == {f"{split} 0", f"{split} 1"}


def test_a_value_is_labelled_at_every_step_end_and_an_outcome_at_its_end_alone():
    for each in examples("q").training:
        assert (each.weights[:, 0] > 0).sum() >= 2
    for kind in ("orm_all", "orm_seed"):
        for each in examples(kind).training:
            assert (each.weights[:, 0] > 0).tolist() == [False] * len(each.prefix.steps) + [True]


def test_values_are_trained_on_solutions_of_all_and_rollouts_of_the_heads_policy():
    base, other = (texts(examples("q", head=head).training) for head in ("base", "other"))
    seeds = {"a seed", "o theirs"}
    assert base == seeds | {"r rolled", "a r rolled", "o r rolled"}
    assert other == seeds | {"r others", "a r others", "o r others"}
    assert texts(examples("q", targets="counts").training) == seeds


def test_passing_targets_count_what_passes_and_counts_do_not():
    # From the bare problem two graded rollouts, one right; and the base's own right solution.
    for targets, root in (("passing", 2 / 3), ("counts", 1 / 2)):
        for each in examples("q", targets=targets).training:
            assert each.targets[0, 0] == pytest.approx(root)
    # The other policy's own solution is wrong, its rollouts are, and the base's do not count.
    for each in examples("q", head="other").training:
        assert each.targets[0, 0] == 0


def test_orms_are_trained_on_the_bases_samples_alone_and_stopped_by_all_of_them():
    rolled = {"r rolled", "a r rolled", "o r rolled"}
    assert texts(examples("orm_all").training) == {"a seed"} | rolled
    assert texts(examples("orm_seed").training) == {"a seed"}
    for kind in ("orm_all", "orm_seed"):
        assert texts(examples(kind).validation) == {"a seed"} | rolled


def test_the_value_of_another_policy_is_stopped_where_solutions_go_and_not_where_it_leads():
    assert texts(examples("q", head="other").validation) == {"a seed", "o theirs"}
    assert texts(examples("q", head="base").validation) > {"a seed", "o theirs"}


def test_without_validation_problems_some_training_problems_stand_in_and_train_nothing():
    tables = published()
    names = [f"train {number}" for number in range(40)]
    problems = {name: Problem(name, "countdown", "1 2 3 4", "24", "train") for name in names}
    one = tables.solutions.filter(problem_id="train 0")
    copies = pl.concat(one.with_columns(problem_id=pl.lit(name)) for name in names)
    own = Published(copies, tables.prefixes, tables.solution_prefixes, tables.rollouts)
    found = make_examples(work("orm_seed"), own, problems)
    trained, held = (
        {each.prefix.problem_id for each in part} for part in (found.training, found.validation)
    )
    assert not trained & held
    assert trained | held == set(names)
    assert 1 <= len(held) <= 10
    other = make_examples(work("orm_seed", seed=1), own, problems)
    assert {each.prefix.problem_id for each in other.validation} != held


def test_nothing_to_stop_by_is_the_users_error():
    tables = published()
    only = tables.solutions.filter(problem_id="train 0")
    own = Published(only, tables.prefixes, tables.solution_prefixes, tables.rollouts)
    with pytest.raises(InputError, match="verifier q: expected labelled solutions of training"):
        make_examples(work("q", seed=3), own, PROBLEMS)


def test_held_out_solutions_are_the_bases_of_validation_and_test_problems():
    found = held_out_solutions(published(), PROBLEMS, base="base")
    assert sorted(found["problem_id"]) == sorted(
        f"{split} {number}" for split in ("validation", "test") for number in range(2)
    )
    assert set(found["policy_id"]) == {"base"}
    assert (found["split"] == found["problem_id"].str.split(" ").list.first()).all()
    # In the order of steps, whatever the order of the table.
    assert found["prefix_ids"][0].to_list() == [
        found["problem_id"][0],
        found["problem_id"][0] + "/a\n",
    ]


def test_counts_of_prefixes_are_those_of_one_policys_graded_rollouts():
    assert counts_by_prefix(published(), "base")["train 0"] == (1, 2)
    assert counts_by_prefix(published(), "other")["train 0"] == (0, 1)


def test_a_bound_on_validation_keeps_the_weighted_mean_and_looks_at_no_target():
    draw = np.random.default_rng(0)
    weights = draw.exponential(size=20_000)
    values = draw.binomial(8, 0.3 + 0.4 * (weights > 1), size=20_000) / 8
    all_of_them = [
        TargetSequence(Prefix(f"p{number % 50}", (f"{number}\n",)), *pair[:, None, None])
        for number, pair in enumerate(np.stack([values, weights], axis=1))
    ]
    kept = sample_sequences(all_of_them, 3000)
    assert sample_sequences(all_of_them[::-1], 3000) == kept
    held = np.array([[each.weights.item(), each.targets.item()] for each in kept])
    mean = np.average(held[:, 1], weights=held[:, 0])
    spread = np.sqrt(np.sum((held[:, 0] * (held[:, 1] - mean)) ** 2)) / held[:, 0].sum()
    assert abs(mean - np.average(values, weights=weights)) < 3 * spread
    # What would be wrong: without the weights the mean is another one by far.
    assert abs(held[:, 1].mean() - np.average(values, weights=weights)) > 6 * spread


@pytest.mark.parametrize(("name", "value"), [
    ("targets", [[0.5], [1.5], [0.5]]), ("targets", [[0.5], [np.nan], [0.5]]),
    ("weights", [[1.0], [-1.0], [1.0]]), ("targets", [[0.5]]), ("weights", [[1.0, 1.0]] * 3),
    ("prefix", Prefix("validation 0", ("a\n", "seed"), True)),
])  # fmt: skip
def test_examples_of_a_plugin_that_cannot_be_trained_on_are_refused(monkeypatch, name, value):
    ones = np.ones((3, 1), np.float32)
    right = TargetSequence(Prefix("train 0", ("a\n", "seed"), True), ones, ones)
    held = TargetSequence(Prefix("validation 0", ("a\n", "seed"), True), ones, ones)
    changes: dict[str, Any] = {name: value if name == "prefix" else np.array(value, np.float32)}
    wrong = replace(right, **changes)

    def made(training):
        def toy(work, published, *, held_out):
            return [held] if held_out else [training]

        kinds = {"toy": replace(ORM_ALL, examples=toy)}
        monkeypatch.setattr(data, "KINDS", kinds)
        return examples("toy")

    assert made(right).training == [right]
    with pytest.raises(InputError, match="verifier toy: expected examples of the given problems"):
        made(wrong)
