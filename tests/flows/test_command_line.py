import importlib.metadata
import json
import subprocess
import sys

import pytest

from pav.tasks.database.recorded_runs import record_run
from pav.tasks.store.store import Store

HEAVY = ("torch", "transformers", "prefect")


def contents(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_version_is_that_of_the_package(pav_here):
    assert pav_here("--version") == (0, importlib.metadata.version("pav") + "\n", "")


def test_help_names_every_command(pav_here):
    status, out, _ = pav_here("--help")
    assert status == 0
    for command in ("run", "prepare", "sample", "label", "train", "evaluate", "report", "status"):
        assert command in out


WRONG = {
    "unknown setting": (["run", "--set", "train.stepz=1"], "did you mean 'steps'"),
    "out of bounds": (["run", "--set", "train.steps=0"], "greater than or equal to 1, got 0"),
    "missing config": (["run", "nowhere.yaml"], "no such file"),
    "missing problems": (["run", "--set", "problems.path=no.jsonl"], "no.jsonl"),
    "no checkpoint": (["run", "--set", "prepare.policies.base.path=no-folder"], "no-folder"),
    "no such engine": (["run", "--set", "engine.kind=vllm"], "engine.kind=vllm"),
    "strange store": (["run", "--store", "ftp://somewhere"], "expected a folder or an s3://"),
    "no bucket": (["run", "--store", "s3://"], "s3://bucket"),
    "unknown command": (["frobnicate"], "frobnicate"),
    "unknown option": (["run", "--frobnicate"], "--frobnicate"),
    "no database": (["sql", "select 1"], "no database yet"),
    "no such bench": (["bench", "nothing"], "is not one of"),
    "no such domain": (
        ["grade", "x.jsonl", "--domain", "chess"],
        "--domain: expected one of countdown, math, got 'chess'",
    ),
    "no such format": (["import", "parchment", "x.jsonl"], "is not one of"),
    "no such setting": (["settings", "trian"], "did you mean 'train'"),
    "no report": (["open"], "no report yet"),
    "no question": (["sql"], "--list"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_message_status_2_and_nothing_written(
    pav_here, tmp_path, arguments, words
):
    status, out, err = pav_here(*arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert contents(tmp_path) == []


@pytest.mark.parametrize("stage", ["prepare", "sample", "label", "train", "evaluate", "report"])
def test_every_stage_refuses_wrong_settings(pav_here, stage):
    status, _, err = pav_here(stage, "smoke", "--set", "label.num_rollouts=0")
    assert status == 2
    assert "--set label.num_rollouts=0" in err


def test_a_store_under_a_regular_file_is_refused(pav_here, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = pav_here("run", "smoke", "--store", tmp_path / "file" / "store")
    assert status == 2
    assert "regular file" in err
    assert contents(tmp_path) == ["file"]


def test_an_empty_problem_file_is_refused(pav_here, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    status, _, err = pav_here("run", "smoke", "--set", "problems.path=none.jsonl")
    assert status == 2
    assert "none.jsonl" in err
    assert contents(tmp_path) == ["none.jsonl"]


def test_a_problem_in_two_splits_is_refused(pav_here, tmp_path):
    rows = [
        {"question": "4 9 10 13", "answer": "24", "split": "train"},
        {"question": "13 10 9 4", "answer": "24", "split": "test"},
    ]
    (tmp_path / "two.jsonl").write_text("\n".join(map(json.dumps, rows)))
    status, _, err = pav_here("run", "smoke", "--set", "problems.path=two.jsonl")
    assert status == 2
    assert "two.jsonl" in err
    assert contents(tmp_path) == ["two.jsonl"]


def test_a_folder_without_a_checkpoint_is_refused(pav_here, tmp_path):
    (tmp_path / "empty").mkdir()
    status, _, err = pav_here("run", "smoke", "--set", "prepare.policies.strong.path=empty")
    assert status == 2
    assert "empty" in err
    assert contents(tmp_path) == ["empty"]


def test_the_store_comes_from_the_environment(pav_here, monkeypatch, tmp_path):
    monkeypatch.setenv("PAV_STORE", "gopher://hole")
    status, _, err = pav_here("run", "smoke")
    assert status == 2
    assert "gopher://hole" in err


def test_the_status_of_an_empty_store_is_that_all_is_missing(pav_here, tmp_path):
    status, out, _ = pav_here("status", "smoke", "--json")
    overview = json.loads(out)
    assert status == 0
    assert [(part["part"], part["missing"]) for part in overview["parts"]] == [("problems", 1)]
    assert overview["unplanned"]["pretrain"] == {"units": 1, "seconds": None}
    assert overview["unplanned"]["label"]["units"] == 14
    assert contents(tmp_path) == []


def test_saved_queries_are_listed(pav_here):
    status, out, _ = pav_here("sql", "--list")
    names = [line.split()[0] for line in out.splitlines()]
    assert status == 0
    assert len(names) >= 6
    assert "labels" in names


@pytest.mark.parametrize("arguments", [["--help"], ["status", "smoke"], ["sql", "--list"]])
def test_light_commands_import_nothing_heavy(tmp_path, arguments):
    code = (
        "import sys, atexit\n"
        f"heavy = {HEAVY}\n"
        "atexit.register(lambda: print('HEAVY', [n for n in heavy if n in sys.modules]))\n"
        "from pav.flows.command_line import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.slow
def test_the_coverage_bench_needs_no_run_and_leaves_its_figures(pav_here, tmp_path):
    status, out, _ = pav_here("bench", "coverage", "--store", "here")
    figures = json.loads((tmp_path / "here/bench/coverage.json").read_text())
    assert status == 0
    assert "any of 8 looks" in out
    assert {row["interval"] for row in figures["coverage"]} >= {"wilson", "sequence"}


def test_the_status_of_an_empty_store_does_not_claim_to_know_the_time(pav_here):
    _, out, _ = pav_here("status", "smoke")
    assert "after that, in units: about pretrain 1, sample 4, label 14, train 5" in out
    assert out.splitlines()[-1].endswith(
        "time left unknown, as this store has no finished unit to tell it by"
    )


STAGES_WITH_OTHERS = ["sample", "label", "train", "evaluate", "report"]


@pytest.mark.parametrize("stage", STAGES_WITH_OTHERS)
def test_help_says_that_a_stage_runs_those_before_it(pav_here, stage):
    _, out, _ = pav_here(stage, "--help")
    assert "and every stage before it" in " ".join(out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("command", "words"),
    [("bench", "engine|labels|grading|coverage|publish"), ("grade", "countdown, math"),
     ("import", "plain|math-shepherd|prm800k"), ("export", "math-shepherd|trl|parquet"),
     ("sql", "table|csv|json|jsonl|parquet"), ("grade", "problems.answer_mark=boxed")],
)  # fmt: skip
def test_help_names_the_choices(pav_here, monkeypatch, command, words):
    monkeypatch.setenv("COLUMNS", "200")
    assert words in pav_here(command, "--help")[1]


def test_flags_are_shown_as_flags(pav_here):
    _, out, _ = pav_here("run", "--help")
    [line] = [line for line in out.splitlines() if "--json" in line]
    assert "<" not in line


def test_the_newest_report_is_opened_by_its_path(pav_here, tmp_path):
    store = Store(str(tmp_path / "store"))
    for run_id in ("first", "second", "third"):
        record_run(store, run_id, settings={}, unit_ids=[])
        if run_id != "third":
            store.write_bytes(f"runs/{run_id}/report.html", b"<p>")
    assert pav_here("open")[:2] == (0, f"{store.root}/runs/second/report.html\n")
    assert pav_here("open", "first")[1] == f"{store.root}/runs/first/report.html\n"
    assert pav_here("open", "third")[0] == 2
