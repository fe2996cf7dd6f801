"""An import is one unit of ordinary data sets; what a file cannot say stays unsaid."""

import json
from dataclasses import replace

import pytest

from pav.models.domains import domain_key
from pav.models.errors import InputError
from pav.models.prefixes import prefix_id
from pav.models.records import Prefix
from pav.models.settings import GradeSettings, RunSettings
from pav.tasks.database.publishing import publish_database
from pav.tasks.database.queries import ask, check_store
from pav.tasks.imports.plan import plan_import
from pav.tasks.imports.work import import_file
from pav.tasks.problems.solution_files import REWORDED
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish, read_table, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

MATH = RunSettings(problems={"domain": "math"})
DATA_SETS = ("problems", "solutions", "prefixes", "solution_prefixes", "imported_labels")
SESSION = {
    "labeler": "someone",
    "question": {"problem": "2 + 2?", "ground_truth_answer": "4"},
    "label": {
        "finish_reason": "solution",
        "steps": [
            {
                "completions": [
                    {"text": "two and two", "rating": 1},
                    {"text": "three and one", "rating": 0},
                ],
                "chosen_completion": 0,
            },
            {
                "completions": [
                    {"text": "so four\n\n# Answer\n\n4", "rating": 1},
                    {"text": "so five\n\n# Answer\n\n5", "rating": -1},
                ],
                "chosen_completion": 0,
            },
        ],
    },
}


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def written(tmp_path):
    """Write rows to a file and return its path."""

    def write(rows, name="rows.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write


def imported(store, path, form, policy="", settings=MATH):
    plan = plan_import(path, form=form, policy=policy, settings=settings)
    return import_file(store, plan, grade=GradeSettings())


def tables(store, done):
    manifest = required_manifest(store, done.unit_id)
    return {name: read_table(store, manifest, name) for name in DATA_SETS}


def plain(**more):
    return {"question": "2 + 2?", "response": "two and two\n#### 4", **more}


@pytest.mark.parametrize(
    ("name", "domain", "policy", "unit_id"),
    [
        ("maths.jsonl", "math", "", "import-bd2f4339462551886857"),
        ("maths.jsonl", "math", "me", "import-c961d7eb5785ad04976a"),
        ("made.jsonl", "countdown", "", "import-2ec123a6cc1eb9c3a297"),
        ("made.jsonl", "countdown", "me", "import-240583697a7933a76d60"),
    ],
)
def test_imports_keep_the_ids_that_stores_know_them_by(written, name, domain, policy, unit_id):
    rows = {
        "maths.jsonl": {"question": "2 + 2?", "answer": "4", "response": "two and two\n#### 4"},
        "made.jsonl": {"question": "4 6", "answer": "24", "response": "4 * 6 = 24\n"},
    }
    path = written([rows[name]], name)
    settings = RunSettings(problems={"domain": domain})
    assert plan_import(path, form="plain", policy=policy, settings=settings).unit.unit_id == unit_id


def test_an_import_is_what_its_record_says_that_its_plan_holds(store, written):
    row = plain(answer="4", response="two and two\n\\boxed{4}\n#### 5")
    plan = plan_import(written([row]), form="plain", policy="me", settings=MATH)
    boxed = RunSettings(problems={"domain": "math", "answer_mark": "boxed"})
    changes = {"policy": "another", "format": "prmbench", "domain": domain_key(boxed)}
    work = plan.work.model_copy(update=changes)
    other = replace(plan, unit=replace(plan.unit, parameters=work.parameters()))
    solutions, forms = [], []
    for each in (plan, other):
        done = import_file(store, each, grade=GradeSettings())
        solutions += tables(store, done)["solutions"].select("policy_id", "verdict").rows()
        forms.append(done.form)
    assert solutions == [("me", "wrong"), ("another", "correct")]
    assert forms == ["plain", "prmbench"]


def test_alternatives_share_the_prefix_and_whole_responses_are_graded(store, written):
    done = imported(store, written([SESSION]), "prm800k")
    found = tables(store, done)
    solutions = found["solutions"]
    assert solutions.select("verdict", "finish_reason", "policy_id").rows() == [
        ("correct", "stop", "imported:prm800k"),
        (None, "open", "imported:prm800k"),
        ("wrong", "stop", "imported:prm800k"),
    ]
    names = {
        (number, step): prefix
        for number, name in enumerate(solutions["solution_id"])
        for solution, step, prefix, _ in found["solution_prefixes"].rows()
        if solution == name
    }
    assert names[0, 1] == names[2, 1] != names[1, 1]
    assert len({names[0, 0], names[1, 0], names[2, 0]}) == 1
    # The root, two first steps, and two whole responses.
    assert found["prefixes"].height == 5
    assert dict(found["prefixes"].group_by("is_terminal").len().rows()) == {True: 2, False: 3}


def test_labels_stand_beside_the_prefix_that_they_are_about(store, written):
    found = tables(store, imported(store, written([SESSION]), "prm800k"))
    labels = found["imported_labels"]
    assert labels["value"].to_list() == [1, 1, 0, 1, -1]
    assert set(labels.select("format", "kind", "labeler").rows()) == {
        ("prm800k", "rating", "someone")
    }
    joined = labels.join(found["solution_prefixes"], on=["solution_id", "num_steps"])
    assert joined["prefix_id"].to_list() == joined["prefix_id_right"].to_list()
    assert joined.height == labels.height


def test_the_prefixes_of_an_import_have_the_ids_of_any_other_unit(store, written):
    found = tables(store, imported(store, written([plain(answer="4")]), "plain"))
    [problem_id] = found["problems"]["problem_id"]
    steps = ("two and two\n", "#### 4")
    expected = [prefix_id(Prefix(problem_id, steps[:n], is_finished=n == 2)) for n in range(3)]
    assert found["solution_prefixes"]["prefix_id"].to_list() == expected


def test_without_an_answer_there_is_no_verdict(store, written):
    done = imported(store, written([plain()]), "plain")
    found = tables(store, done)
    assert found["problems"].select("answer", "answer_source").rows() == [("", "none")]
    assert found["solutions"]["verdict"].to_list() == [None]
    assert (done.verdicts, done.num_unanswered) == ({}, 1)


def test_a_leaf_whose_answer_cannot_be_found_is_not_called_whole(store, written):
    nodes = [("", 0.5), ("\nso \\boxed{4}", 1.0), ("\nso \\boxed{5}", 0.0), ("\nbut then", 0.0)]
    row = {
        "question": "2 + 2?",
        "final_answer": "4",
        "reasoning_steps": [
            {"solution_prefix": f"2 + 2?{text}", "mc_value": value} for text, value in nodes
        ],
    }
    found = tables(store, imported(store, written([row]), "omegaprm"))
    assert found["solutions"].select("verdict", "finish_reason").rows() == [
        ("correct", "stop"), ("wrong", "stop"), (None, "open"),
    ]  # fmt: skip
    # The value of the bare problem stands with each of its three paths.
    assert found["imported_labels"]["value"].to_list() == [0.5, 1.0, 0.5, 0.0, 0.5, 0.0]


def test_a_verdict_that_the_row_states_is_kept_as_such(store, written):
    rows = [
        {"problem": "p?", "steps": ["a"], "label": -1, "final_answer_correct": True},
        {"problem": "p?", "steps": ["b"], "label": 0},
    ]
    found = tables(store, imported(store, written(rows), "processbench"))
    assert found["solutions"].select("verdict", "reason").rows() == [
        ("correct", "as the row states"), (None, None),
    ]  # fmt: skip


def test_equal_rows_are_solutions_of_their_own_and_rows_name_their_policy(store, written):
    rows = [plain(), plain(), plain(policy="mine")]
    found = tables(store, imported(store, written(rows), "plain", policy="theirs"))
    assert found["solutions"]["policy_id"].to_list() == ["theirs", "theirs", "mine"]
    assert found["solutions"]["solution_id"].n_unique() == 3


def test_a_problem_takes_its_answer_from_any_row_and_its_wording_from_the_first(store, written):
    rows = [plain(), plain(question="2  +  2?", answer="4", split="test")]
    done = imported(store, written(rows), "plain")
    [problem] = tables(store, done)["problems"].to_dicts()
    assert (problem["answer"], problem["answer_source"], problem["split"]) == ("4", "human", "test")
    assert done.verdicts == {"correct": 2}
    assert done.remarks == {REWORDED: 1}


def test_a_response_that_was_cut_off_is_truncated_and_countdown_has_its_own_steps(store, written):
    row = {
        "question": "4 9 10 13", "answer": 24, "finish_reason": "length",
        "response": "13 - 9 = 4 left 4 4 10\n10 -",
    }  # fmt: skip
    done = imported(store, written([row]), "plain", settings=RunSettings())
    found = tables(store, done)
    assert found["solutions"].select("verdict", "num_steps").rows() == [("truncated", 2)]
    assert found["prefixes"]["is_terminal"].to_list() == [False, False, True]


def test_the_same_file_is_imported_once_and_another_domain_makes_another_unit(store, written):
    path = written([plain(answer="4")])
    first, again = (imported(store, path, "plain") for _ in range(2))
    assert (first.is_reused, again.is_reused) == (False, True)
    assert again.as_record() == first.as_record() | {"is_reused": True}
    by_words = RunSettings(problems={"domain": "math", "segmenter": "words"})
    assert imported(store, path, "plain", settings=by_words).unit_id != first.unit_id


def test_bad_rows_are_listed_by_line_and_nothing_is_written(store, written):
    bad = [
        plain(answer="4"), plain(response=None), "text", plain(answer="5"),
        plain(split="test"), plain(split="train"), plain(question="3?", problem_id="a"),
        plain(question="4?", problem_id="a"),
    ]  # fmt: skip
    with pytest.raises(InputError) as error:
        imported(store, written(bad), "plain")
    head, *lines = str(error.value).splitlines()
    assert "5 bad rows; nothing was written" in head
    assert [line.partition(":")[0] for line in lines] == [
        "  line 2", "  line 3", "  line 4", "  line 6", "  line 8",
    ]  # fmt: skip
    assert store.list("manifests") == []


@pytest.mark.parametrize(
    ("form", "name", "rows", "message"),
    [
        ("openr", "a.jsonl", [], "FORMAT: expected one of plain, math-shepherd"),
        ("prm800k", "a.csv", [], "expected a .jsonl file, as prm800k is a JSON object a line"),
        ("plain", "a.jsonl", [], "expected rows of the format plain, got none"),
        ("plain", "a.txt", [], "FILE: expected a file ending in"),
        ("plain", "a.csv", [{"a": 1}], "expected columns ['question', 'response']"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(store, written, form, name, rows, message):
    with pytest.raises(InputError) as error:
        imported(store, written(rows, name), form)
    assert message in str(error.value)


def test_the_summary_says_what_the_format_cannot(store, written):
    text = imported(store, written([SESSION]), "prm800k").as_text()
    assert "1 rows; 1 problems (0 without an answer); 3 solutions (1 not whole)" in text
    assert "5 rating labels; verdicts: 1 correct, 1 wrong" in text
    assert "ratings by people: no counts behind them" in text


def test_an_import_without_answers_hides_no_answer_that_the_store_knows(store, written):
    imported(store, written([plain(answer="4")], "known.jsonl"), "plain")
    imported(store, written([plain()], "unknown.jsonl"), "plain")
    publish_database(store)
    assert check_store(store) == []
    [problem] = ask(store, "select answer from problems").rows()
    assert problem == ("4",)
    assert ask(store, "select verdict from solutions").rows() == [("correct",)]


def test_an_import_moves_no_problem_of_a_run_to_another_split(store, written):
    done = imported(store, written([plain(answer="4", split="test")]), "plain")
    [row] = tables(store, done)["problems"].to_dicts()
    unit = Unit("problems", "own", 1)
    own = row | {"split": "train", "unit_id": unit.unit_id}
    data = to_parquet("problems", frame("problems", [own]))
    publish(store, unit, Outcome((Output("problems.parquet", data, 1),)))
    publish_database(store)
    assert check_store(store) == []
    assert ask(store, "select split, unit_id from problems").rows() == [("train", unit.unit_id)]


@pytest.mark.slow
def test_a_file_of_many_rows_keeps_every_label_in_its_order(store, written):
    steps = ["a", "b", "c", "d", "e"]
    rows = [
        {"problem": f"{number}?", "steps": steps, "label": number % 5} for number in range(7000)
    ]
    labels = tables(store, imported(store, written(rows), "processbench"))["imported_labels"]
    # A row whose first error is step k + 1 has k + 1 labels: 15 for each five rows.
    assert labels.height == 7000 // 5 * 15
    expected = [
        float(step == number % 5) for number in range(7000) for step in range(number % 5 + 1)
    ]
    assert labels["value"].to_list() == expected


@pytest.mark.slow
def test_first_errors_in_the_database_are_those_of_every_prmbench_row(
    store, shared_file, shared_rows
):
    names = ("prmbench/circular.jsonl", "prmbench/step_contradiction.jsonl")
    for name in names:
        imported(store, str(shared_file(name)), "prmbench")
    publish_database(store)
    assert check_store(store) == []
    answer = ask(store, "imported_first_errors").to_dicts()
    firsts = {row["solution_id"]: row["first_error"] for row in answer}
    steps = ask(store, "select solution_id, steps from solutions").rows()
    by_steps = {tuple(each): firsts[name] for name, each in steps}
    rows = [row for name in names for row in shared_rows(name)]
    assert len(rows) == 180

    def stored(process):
        return (*(f"{step}\n" for step in process[:-1]), process[-1])

    for row in rows:
        assert by_steps[stored(row["modified_process"])] == min(row["error_steps"])
        assert by_steps[stored(row["original_process"])] is None
