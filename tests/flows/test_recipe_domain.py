"""A domain of an installed package goes through the whole pipeline; no file of pav is edited."""

import json
from pathlib import Path

import pytest

from tests.flows.conftest import Pav, Results
from tests.plugin_package import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TOY = sorted((Path(__file__).parents[1] / "recipes/domain").glob("*.py"))
POINTS = {
    "pav.domains": {"toy": "toy_sums:TOY"},
    "pav.settings": {"toy": "toy_settings:ToySettings"},
}
KEY = 'toy {"mark": "gives"}'
SMALL = (
    "problems.domain=toy", "plugins.toy.highest=5", "plugins.toy.mark=gives",
    "problems.max_train=100", "problems.max_validation=8", "problems.max_test=16",
    "prepare.policies.weak.steps=150", "prepare.policies.base.steps=300",
    "prepare.policies.strong.steps=400",
    "train.steps=20", "train.prover_steps=20", "train.eval_every=10",
)  # fmt: skip


@pytest.fixture(scope="module")
def pav(tmp_path_factory, prefect_api):
    folder = tmp_path_factory.mktemp("toy")
    site = installed(folder / "site", *TOY, points=POINTS)
    return Pav(folder, plugins=str(site), api=prefect_api)


@pytest.fixture(scope="module")
def toy(pav):
    """The store that the whole pipeline filled with sums."""
    options = [word for value in SMALL for word in ("--set", value)]
    run = pav("run", "smoke", "--json", "--store", "store", *options)
    assert run.status == 0, run.err
    return Results(pav.folder / "store"), json.loads(run.out)


def test_the_recipe_opens_few_files():
    files = [*TOY, "pyproject.toml", __file__]
    assert len(files) == 4


def test_every_unit_names_the_domain_with_its_settings(toy):
    results, told = toy
    assert all(stage["made"] == stage["total"] > 0 for stage in told["stages"])
    for stage in ("problems", "pretrain", "sample", "label", "train", "evaluate"):
        units = [json.loads(path.read_text())["unit"] for path in results.manifests(stage)]
        keys = {unit["parameters"].get("domain", KEY) for unit in units}
        assert keys == {KEY}, stage
    [problems] = [json.loads(path.read_text()) for path in results.manifests("problems")]
    assert problems["unit"]["parameters"]["highest"] == 5


def test_workers_ask_grade_and_train_as_the_plugin_says(toy, pav):
    results, _ = toy
    problems = {row["problem_id"]: row for row in results.rows("problems", "problems").to_dicts()}
    verdicts = set()
    for row in results.rows("sample", "solutions").to_dicts():
        question = problems[row["problem_id"]]["question"]
        text = "".join(row["steps"])
        is_sum = text.endswith(f"= {sum(map(int, question.split()))}")
        assert row["verdict"] != "correct" or is_sum, (question, text)
        verdicts.add(row["verdict"])
    assert {"correct", "wrong"} <= verdicts
    asked = "select count(*) as n from problems where prompt = concat(question, ' gives', chr(10))"
    answer = pav("sql", "--store", "store", "--format", "json", asked)
    assert json.loads(answer.out)[0]["n"] == len(problems), answer.err


def test_the_report_says_what_a_sum_is_and_holds_labels_against_the_solver(toy):
    _, told = toy
    page = Path(told["report"])
    text = page.read_text()
    assert "Each problem is a sum of two or three numbers." in text
    assert "Countdown" not in text
    truth = json.loads((page.parent / "results.json").read_text())["truth"]
    kinds = {row["kind"]: row for row in truth["rows"]}
    assert kinds.keys() == {"solvable", "wrong sum"}
    assert kinds["solvable"]["num_with_correct"] > 0 == truth["num_contradictions"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "smoke", "--set", "problems.domain=chess"], "'countdown', 'math' or 'toy'"),
        (["grade", "rows.jsonl", "--domain", "toy", "--audit"], "with a second grader"),
    ],
)
def test_what_the_domain_lacks_is_told(pav, arguments, words):
    refused = pav(*arguments)
    assert refused.status == 2
    assert words in refused.err


def test_the_settings_page_lists_the_domain(pav):
    page = pav("settings", "--markdown").out
    assert "one of countdown, math, toy" in page
    assert "`plugins.toy.highest`" in page


def test_a_response_is_graded_by_the_plugin(pav):
    rows = [
        {"question": "3 5 9", "answer": "17", "response": "3 + 5 = 8\n8 + 9 = 17"},
        {"question": "3 5 9", "answer": "17", "response": "3 + 5 = 9\n9 + 9 = 18"},
    ]
    (pav.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    graded = pav("grade", "rows.jsonl", "--domain", "toy")
    verdicts = [json.loads(line)["verdict"] for line in graded.out.splitlines()]
    assert verdicts == ["correct", "wrong"], graded.err
