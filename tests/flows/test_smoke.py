"""The whole pipeline as a user runs it: once, again, changed, killed, damaged."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pav.flows.report import WorkDone, write
from pav.flows.settings_file import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STAGES = ["problems", "pretrain", "sample", "label", "train", "evaluate"]
PARTS = ["problems", "pretrain", "sample", "label", "train", "choose", "evaluate"]


def test_one_command_goes_from_problems_to_a_report(smoke):
    out = smoke.run.out
    for part in PARTS:
        assert f"{part} (" in out
    report = Path(out.rpartition("report at ")[2].strip())
    assert report.read_text().lower().startswith("<!doctype html>")
    assert "Traceback" not in smoke.run.err
    assert "Warning" not in smoke.run.err


def test_what_will_be_made_is_told_before_anything_starts_and_nothing_is_silent(smoke):
    told = smoke.run.err.splitlines()
    assert told[0] == f"planning smoke in {smoke.path} …"
    made = re.fullmatch(r"about (\d+) units to make in .*: (problems 1, .*)", told[1])
    assert made
    assert int(made[1]) == sum(len(smoke.manifests(stage)) for stage in STAGES)
    assert told[2] == "starting Prefect …"
    assert [line for line in told if line.startswith("choose   0 %, 0 of ")]
    assert "building labels.duckdb …" in told
    assert told[-1].startswith("writing the report …")


def test_a_damaged_database_is_built_again_by_the_same_command(smoke_copy, pav):
    database = smoke_copy.path / "labels.duckdb"
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 2])
    assert "builds it again" in pav("sql", "labels", "--store", smoke_copy.path).err
    done = pav("run", "smoke", "--store", smoke_copy.path)
    assert (done.status, "built again: 41 units reused" in done.out) == (0, True)
    assert pav("check", "--store", smoke_copy.path).status == 0
    assert "nothing to do" in pav("run", "smoke", "--store", smoke_copy.path).out


def test_the_report_names_every_arm_with_an_interval(smoke):
    [path] = (smoke.path / "runs").glob("*/results.json")
    arms = json.loads(path.read_text())["arms"]
    strategies = {(arm["strategy"], arm["verifier"]) for arm in arms}
    assert {("best_of_n", "orm"), ("beam", "q"), ("beam", "pav")} <= strategies
    assert all(arm["low"] <= arm["accuracy"] <= arm["high"] for arm in arms)


def test_the_database_is_whole_and_answers(smoke, pav):
    assert pav("check", "--store", smoke.path).status == 0
    query = "select count(*) as n from labels"
    answer = pav("sql", query, "--format", "json", "--store", smoke.path)
    assert json.loads(answer.out)[0]["n"] > 0


def test_the_status_of_a_finished_run_has_nothing_missing(smoke, pav):
    overview = json.loads(pav("status", "smoke", "--json", "--store", smoke.path).out)
    assert [part["part"] for part in overview["parts"]] == PARTS
    assert all(part["missing"] == part["failed"] == 0 for part in overview["parts"])
    assert overview["seconds"] > 0
    assert overview["report"].endswith("report.html")


def test_a_second_run_does_no_work_and_imports_neither_prefect_nor_torch(smoke, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in smoke.path.rglob("*")}
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('HEAVY', [n for n in ('torch', 'prefect', 'transformers')"
        " if n in sys.modules]))\n"
        "from pav.flows.command_line import main\n"
        "main()\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "smoke", "--store", str(smoke.path)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert time.monotonic() - started < 10
    assert "nothing to do" in done.stdout
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert {path: path.stat().st_mtime_ns for path in smoke.path.rglob("*")} == before


def test_the_report_flow_leaves_a_report_of_the_same_data_and_its_cost_alone(smoke):
    [page] = (smoke.path / "runs").glob("*/report.html")
    files = [page, page.with_name("results.json")]
    before = [file.read_bytes() for file in files]
    written = write.fn(load_settings("smoke"), str(smoke.path), WorkDone((), 6.0))
    assert written == f"runs/{page.parent.name}/report.html"
    assert [file.read_bytes() for file in files] == before


def test_changing_only_alpha_reruns_evaluation_and_report_against_a_given_server(
    smoke_copy, pav, prefect_api
):
    option = "evaluate.alphas=[0.7]"
    arguments = ["run", "smoke", "--store", smoke_copy.path, "--set", option, "--json"]
    done = pav(*arguments, server=prefect_api)
    assert done.status == 0, done.err
    made = {name for name, stage in done.summary.items() if stage["made"]}
    assert made <= {"choose", "evaluate", "report"}
    assert {"choose", "report"} <= made
    assert {"claims", "datasets", "arms"} <= artifact_keys(prefect_api)


def artifact_keys(api):
    request = urllib.request.Request(
        f"{api}/artifacts/filter", data=b"{}", headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return {artifact["key"] for artifact in json.load(answer)}


def test_labels_after_a_kill_equal_those_of_an_undisturbed_run(smoke, smoke_copy, kill_and_resume):
    smoke_copy.forget("label")
    survivors = kill_and_resume(
        "label", smoke_copy, part="label", condition=lambda: smoke_copy.manifests("label")
    )
    assert survivors
    for name in ("label_blocks", "rollouts"):
        assert smoke_copy.rows("label", name).equals(smoke.rows("label", name))


def test_a_damaged_file_is_noticed_and_remade(smoke, smoke_copy, pav, prefect_api):
    (unit_id, _), file = next(iter(smoke_copy.files("label").items()))
    victim = smoke_copy.path / file["path"]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    before = smoke_copy.executions("label")
    done = pav("label", "smoke", "--store", smoke_copy.path, "--json", server=prefect_api)
    assert done.status == 0, done.err
    assert done.summary["label"]["made"] == 1
    after = smoke_copy.executions("label")
    assert {unit for unit in after if after[unit] != before.get(unit)} == {unit_id}
    assert smoke_copy.contents("label") == smoke.contents("label")


def test_an_interrupt_says_what_is_kept_and_how_to_go_on(smoke_copy, pav, prefect_api):
    smoke_copy.forget("label")
    process = pav.start("label", "smoke", "--store", smoke_copy.path, server=prefect_api)
    deadline = time.monotonic() + 120
    while not smoke_copy.manifests("label") and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"pav label smoke --store {smoke_copy.path}" in err
    assert "Traceback" not in err


def test_an_estimate_makes_no_label_and_is_set_beside_what_labels_then_took(
    smoke, smoke_copy, pav, prefect_api
):
    smoke_copy.forget("label")
    where = ["smoke", "--store", smoke_copy.path]
    estimated = pav("label", *where, "--estimate", "--json", server=prefect_api)
    assert estimated.status == 0, estimated.err
    assert smoke_copy.manifests("label") == []
    total = json.loads(estimated.out)["total"]
    assert total["rollouts"] == pytest.approx(smoke.rows("label", "rollouts").height)
    assert "label: estimated" in pav("status", *where).out
    done = pav("label", *where, server=prefect_api)
    assert done.status == 0, done.err
    [line] = [line for line in done.out.splitlines() if line.startswith("label (")]
    assert f"{total['rollouts']:,.0f} rollouts; took" in line
    assert line.endswith("rollouts (+0 %)")
    assert smoke_copy.contents("label") == smoke.contents("label")
