"""What is exported is what the store holds: back in the same format it is the same."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from pav.models.errors import InputError
from pav.models.settings import GradeSettings, RunSettings
from pav.tasks.database.export import export_file
from pav.tasks.database.publishing import publish_database
from pav.tasks.database.recorded_runs import record_run
from pav.tasks.imports.plan import plan_import
from pav.tasks.imports.work import import_file
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish, read_table, required_manifest
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

SHEPHERD = "formats/samples_math-shepherd.jsonl"
RATED = {
    "labeler": "someone", "question": {"problem": "2 + 2?", "ground_truth_answer": "4"},
    "label": {"finish_reason": "found_error", "steps": [
        {"completions": [{"text": "a", "rating": 0}], "chosen_completion": 0},
        {"completions": [{"text": "b", "rating": -1}, {"text": "c", "rating": None}],
         "chosen_completion": None, "human_completion": None},
    ]},
}  # fmt: skip
CHECKED = {"problem": "p?", "steps": ["a", "b", "c"], "label": 1}
BASE = "b" * 16
STEPS = ("13 - 9 = 4 left 4 4 10\n", "10 - 4 = 6 left 4 6\n", "6 * 4 = 24 left 24")


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "out.jsonl")


def bring(store, path, form, domain="math"):
    plan = plan_import(
        path, form=form, policy="", settings=RunSettings(problems={"domain": domain})
    )
    done = import_file(store, plan, grade=GradeSettings())
    publish_database(store)
    return done


def brought(store, tmp_path, rows, form):
    path = tmp_path / f"{form}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return bring(store, str(path), form)


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def export(store, form, out, policy="", split=""):
    return export_file(store, form, out, policy=policy, split=split)


def put(store, stage, tables, **parameters):
    unit = Unit(stage, f"{stage} by hand", UNIT_STAGES[stage].revision, parameters)
    outputs = []
    for name, rows in tables.items():
        table = frame(name, [row | {"unit_id": unit.unit_id} for row in rows])
        outputs.append(Output(f"{name}.parquet", to_parquet(name, table), len(rows)))
    publish(store, unit, Outcome(tuple(outputs)))


@pytest.fixture
def labelled(store):
    return label(store, domain="countdown")


def label(store, **settings):
    """One right solution of a hand: of 4 rollouts of the base 1, 0 and 4 were right."""
    problem = {
        "problem_id": "hand", "domain": "countdown", "question": "4 9 10 13", "answer": "24",
        "answer_source": "program", "split": "train", "source": "embedded",
        "canonical_key": "countdown:4 9 10 13=24",
    }  # fmt: skip
    solution = {
        "solution_id": "right", "problem_id": "hand", "policy_id": BASE, "sample": 0,
        "steps": list(STEPS), "text": "".join(STEPS), "num_steps": 3, "verdict": "correct",
        "reason": "", "finish_reason": "stop", "num_tokens": 30, "seed": 0,
    }  # fmt: skip
    prefixes = [
        {"prefix_id": f"p{n}", "problem_id": "hand", "solution_id": "right", "num_steps": n,
         "num_characters": len("".join(STEPS[:n])), "num_tokens": n, "is_terminal": n == 3,
         "verdict": "correct" if n == 3 else None}
        for n in range(4)
    ]  # fmt: skip
    joined = [{"solution_id": "right", "num_steps": n, "prefix_id": f"p{n}"} for n in range(4)]
    blocks = [
        {"prefix_id": f"p{n}", "policy_id": BASE, "seed": 0, "block": 0, "num_rollouts": 4,
         "num_correct": right, "num_truncated": 0, "num_unparsed": 0, "num_failed": 0,
         "generated_tokens": 40, "stopping_rule": "fixed"}
        for n, right in enumerate((1, 0, 4))
    ]  # fmt: skip
    put(store, "problems", {"problems": [problem]}, **settings)
    sampled = {"solutions": [solution], "prefixes": prefixes, "solution_prefixes": joined}
    put(store, "sample", sampled)
    put(store, "label", {"label_blocks": blocks})
    policies = [{"name": "base", "policy_id": BASE}]
    record_run(store, "run", settings={}, unit_ids=[], policies=policies)
    publish_database(store)
    return store


def test_math_shepherd_rows_come_back_exactly_and_in_their_order(
    store, out, shared_file, shared_rows
):
    bring(store, str(shared_file(SHEPHERD)), "math-shepherd")
    done = export(store, "math-shepherd", out)
    assert rows_of(out) == shared_rows(SHEPHERD)
    assert done.notes == ()


def test_our_own_labels_are_right_where_any_rollout_was(labelled, out):
    done = export(labelled, "math-shepherd", out)
    assert rows_of(out) == [{
        "input": "4 9 10 13 -> 24\n13 - 9 = 4 left 4 4 10 ки\n10 - 4 = 6 left 4 6 ки\n"
                 "6 * 4 = 24 left 24 ки",
        "label": "4 9 10 13 -> 24\n13 - 9 = 4 left 4 4 10 -\n10 - 4 = 6 left 4 6 +\n"
                 "6 * 4 = 24 left 24 +",
        "task": "embedded",
    }]  # fmt: skip
    assert done.notes == (
        "math-shepherd: soft values are lost: true is any right rollout, or a right answer at "
        "the end",
    )


def test_a_trl_file_is_a_list_of_objects_with_as_many_labels_as_completions(labelled, out):
    export(labelled, "trl", out, policy="base")
    assert rows_of(out) == [{
        "prompt": "4 9 10 13 -> 24\n",
        "completions": [step.rstrip("\n") for step in STEPS],
        "labels": [False, True, True],
    }]  # fmt: skip


def test_solutions_whose_prompt_is_unknown_have_the_question_and_are_counted(store, out):
    label(store)
    done = export(store, "trl", out)
    assert [row["prompt"] for row in rows_of(out)] == ["4 9 10 13"]
    assert "trl: 1 solutions have the bare question for a prompt, since" in done.notes[1]
    export(store, "math-shepherd", out)
    assert rows_of(out)[0]["input"].startswith("4 9 10 13 13 - 9")


def test_the_table_holds_counts_rules_values_and_advantages(labelled, tmp_path):
    out = str(tmp_path / "out.parquet")
    export(labelled, "parquet", out, policy=BASE, split="train")
    [row] = pl.read_parquet(out).to_dicts()
    found = {key: [step[key] for step in row["step_labels"]] for key in row["step_labels"][0]}
    assert found == {
        "num_steps": [0, 1, 2, 3],
        "num_correct": [1, 0, 4, None],
        "num_rollouts": [4, 4, 4, None],
        "stopping_rule": ["fixed"] * 3 + [None],
        "value": [0.25, 0.0, 1.0, 1.0],
        "advantage": [None, -0.25, 1.0, 0.0],
    }
    assert (row["labelled_by"], row["policy"], row["verdict"]) == (BASE, BASE, "correct")
    assert (row["question"], row["answer"], row["steps"]) == ("4 9 10 13", "24", list(STEPS))
    assert row["prompt"] == "4 9 10 13 -> 24\n"


def test_the_table_imported_as_plain_gives_the_same_solutions(labelled, tmp_path):
    out = str(tmp_path / "out.parquet")
    export(labelled, "parquet", out)
    other = Store(str(tmp_path / "other"))
    manifest = required_manifest(other, bring(other, out, "plain", domain="countdown").unit_id)
    [solution] = read_table(other, manifest, "solutions").to_dicts()
    assert solution["steps"] == list(STEPS)
    assert (solution["policy_id"], solution["verdict"]) == (BASE, "correct")
    [problem] = read_table(other, manifest, "problems").to_dicts()
    assert (problem["problem_id"], problem["split"], problem["source"]) == (
        "hand", "train", "embedded",
    )  # fmt: skip


def test_imported_solutions_survive_the_table_with_their_ids(store, tmp_path):
    done = brought(store, tmp_path, [RATED], "prm800k")
    brought(store, tmp_path, [CHECKED], "processbench")
    out = str(tmp_path / "out.parquet")
    export(store, "parquet", out)
    other = Store(str(tmp_path / "other"))
    again = required_manifest(other, bring(other, out, "plain").unit_id)
    columns = ["solution_id", "problem_id", "policy_id", "steps", "text", "finish_reason"]
    first = required_manifest(store, done.unit_id)
    before = read_table(store, first, "solutions", columns=columns)
    after = read_table(other, again, "solutions", columns=columns)
    assert after.filter(pl.col("policy_id") == "imported:prm800k").rows() == before.rows()
    assert after.height == before.height + 1


def test_solutions_end_or_are_left_out_where_their_labels_do_and_both_are_counted(
    store, tmp_path, out
):
    brought(store, tmp_path, [CHECKED], "processbench")
    brought(store, tmp_path, [RATED], "prm800k")
    done = export(store, "trl", out)
    rated = [(row["completions"], row["labels"]) for row in rows_of(out) if row["prompt"] != "p?"]
    # A neutral rating counts as right, and a completion without one ends the row before it.
    assert sorted(rated) == [(["a"], [True]), (["a", "b"], [True, False])]
    assert (["a", "b"], [True, False]) in [
        (row["completions"], row["labels"]) for row in rows_of(out) if row["prompt"] == "p?"
    ]
    assert done.notes == (
        "trl: ratings are lost: true is 1 or 0, false is -1",
        "trl: 2 solutions end where their labels do",
    )
    left = export(store, "math-shepherd", out)
    assert len(rows_of(out)) == 1
    assert "math-shepherd: 2 solutions left out, which lack a label on every step" in left.notes


def test_imported_labels_are_chosen_by_whose_solutions_they_are(store, tmp_path, out):
    brought(store, tmp_path, [CHECKED], "processbench")
    brought(store, tmp_path, [RATED], "prm800k")
    export(store, "trl", out, policy="imported:processbench")
    assert [row["prompt"] for row in rows_of(out)] == ["p?"]


@pytest.mark.parametrize(
    ("form", "policy", "split", "message"),
    [
        ("csv", "", "", "FORMAT: expected one of math-shepherd, trl, parquet, got 'csv'"),
        ("trl", "", "dev", "--split: expected one of ('train', 'validation', 'test'), got 'dev'"),
        ("trl", "strong", "", "--policy: expected one of base, bbbbbbbbbbbbbbbb, got 'strong'"),
        ("trl", "", "test", "no solutions to export in split test"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_written(
    labelled, tmp_path, form, policy, split, message
):
    out = tmp_path / "out"
    with pytest.raises(InputError) as error:
        export(labelled, form, str(out), policy=policy, split=split)
    assert message in str(error.value)
    assert not out.exists()


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(labelled, tmp_path):
    out = tmp_path / "out" / "rows.jsonl"
    out.parent.mkdir()
    out.write_text("before")
    export(labelled, "trl", str(out))
    assert len(rows_of(out)) == 1
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.slow
def test_a_store_in_s3_takes_imports_and_gives_exports(bucket, tmp_path, out):
    remote = Store(bucket)
    brought(remote, tmp_path, [CHECKED], "processbench")
    export(remote, "trl", out)
    assert [row["labels"] for row in rows_of(out)] == [[True, False]]


def test_the_page_names_every_column_of_the_table(labelled, tmp_path):
    out = str(tmp_path / "out.parquet")
    export(labelled, "parquet", out)
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    table = page.partition("| column | |")[2].partition("\n\n")[0]
    firsts = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(firsts))) == set(pl.read_parquet(out).columns)
