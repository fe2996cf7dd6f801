"""The whole pipeline as a user runs it: once, again, changed, killed, damaged."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import polars as pl
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PARTS = ["problems", "pretrain", "sample", "label", "train", "choose", "evaluate"]
DATA_PARTS = {"prepare": "pretrain"}


def manifests(store, stage):
    return sorted((store / "manifests").glob(f"{stage}-*.json"))


def forget(store, *stages):
    """Remove the manifests of stages, as if their units had never been published."""
    for stage in stages:
        for path in manifests(store, stage):
            path.unlink()


def executions(store, stage, event="finished"):
    """Return how often each unit of a stage has that event in the ledger."""
    counts = {}
    for path in (store / "ledger").glob(f"{stage}-*/*.json"):
        entry = json.loads(path.read_text())
        if entry["event"] == event:
            counts[entry["unit_id"]] = counts.get(entry["unit_id"], 0) + 1
    return counts


def rows(store, stage, name):
    """Return a data set as its manifests name it, in one order."""
    files = [
        store / file["path"]
        for path in manifests(store, stage)
        for file in json.loads(path.read_text())["files"]
        if file["name"] == f"{name}.parquet"
    ]
    table = pl.concat([pl.read_parquet(file) for file in sorted(files)])
    return table.sort([column for column in table.columns if table[column].dtype != pl.List])


def results(store, run_id):
    return json.loads((store / "runs" / run_id / "results.json").read_text())


def test_one_command_goes_from_problems_to_a_report(smoke):
    out = smoke.run.out
    for part in PARTS:
        assert f"{part} (" in out
    assert "report at" in out
    report = Path(out.rpartition("report at ")[2].strip())
    assert report.read_text().startswith("<!doctype html>")
    assert "http://" not in smoke.run.err


def test_the_report_names_every_arm_with_an_interval(smoke):
    [path] = (smoke.store / "runs").glob("*/results.json")
    arms = json.loads(path.read_text())["arms"]
    strategies = {(arm["strategy"], arm["verifier"]) for arm in arms}
    assert {("best_of_n", "orm"), ("beam", "q"), ("beam", "pav")} <= strategies
    assert all(arm["low"] <= arm["accuracy"] <= arm["high"] for arm in arms)


def test_the_database_is_whole_and_answers(smoke, pav):
    assert pav("check", "--store", smoke.store).status == 0
    answer = pav(
        "sql", "select count(*) as n from labels", "--format", "json", "--store", smoke.store
    )
    assert json.loads(answer.out)[0]["n"] > 0


def test_the_status_of_a_finished_run_has_nothing_missing(smoke, pav):
    overview = json.loads(pav("status", "smoke", "--json", "--store", smoke.store).out)
    assert [part["part"] for part in overview["parts"]] == PARTS
    assert all(part["missing"] == part["failed"] == 0 for part in overview["parts"])
    assert overview["seconds"] > 0
    assert overview["report"].endswith("report.html")


def test_a_second_run_does_no_work_and_imports_neither_prefect_nor_torch(smoke, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in smoke.store.rglob("*")}
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('HEAVY', [n for n in ('torch', 'prefect', 'transformers')"
        " if n in sys.modules]))\n"
        "from pav.flows.command_line import main\n"
        "main()\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "smoke", "--store", str(smoke.store)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert time.monotonic() - started < 10
    assert "nothing to do" in done.stdout
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert {path: path.stat().st_mtime_ns for path in smoke.store.rglob("*")} == before


def test_changing_only_alpha_reruns_evaluation_and_report_against_a_given_server(
    smoke_copy, pav, prefect_api
):
    arguments = ["run", "smoke", "--store", smoke_copy, "--set", "evaluate.alphas=[0.7]", "--json"]
    done = pav(*arguments, PREFECT_API_URL=prefect_api)
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


def kill_and_resume(stage, store, *, pav, kill_once):
    """Kill a stage after its first unit and resume it; no finished unit may run again."""
    part = DATA_PARTS.get(stage, stage)
    forget(store, part)
    known = executions(store, part)
    process = pav.start(stage, "smoke", "--store", store)
    kill_once(process, lambda: manifests(store, part))
    survivors = {path.stem for path in manifests(store, part)}
    resumed = pav(stage, "smoke", "--store", store)
    assert resumed.status == 0, resumed.err
    again = executions(store, part)
    assert survivors
    assert {unit: again[unit] - known.get(unit, 0) for unit in survivors} == dict.fromkeys(
        survivors, 1
    )


def test_labels_after_a_kill_equal_those_of_an_undisturbed_run(smoke, smoke_copy, pav, kill_once):
    kill_and_resume("label", smoke_copy, pav=pav, kill_once=kill_once)
    for name in ("label_blocks", "rollouts"):
        assert rows(smoke_copy, "label", name).equals(rows(smoke.store, "label", name))


def test_a_damaged_file_is_noticed_and_remade(smoke, smoke_copy, pav):
    path = manifests(smoke_copy, "label")[0]
    unit = json.loads(path.read_text())
    victim = smoke_copy / unit["files"][0]["path"]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    before = executions(smoke_copy, "label")
    done = pav("label", "smoke", "--store", smoke_copy, "--json")
    assert done.status == 0, done.err
    assert done.summary["label"]["made"] == 1
    after = executions(smoke_copy, "label")
    assert {u for u in after if after[u] != before.get(u)} == {unit["unit"]["unit_id"]}
    assert rows(smoke_copy, "label", "rollouts").equals(rows(smoke.store, "label", "rollouts"))


def test_an_interrupt_says_what_is_kept_and_how_to_go_on(smoke_copy, pav):
    forget(smoke_copy, "label")
    process = pav.start("label", "smoke", "--store", smoke_copy)
    deadline = time.monotonic() + 120
    while not manifests(smoke_copy, "label") and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"pav label smoke --store {smoke_copy}" in err
    assert "Traceback" not in err
