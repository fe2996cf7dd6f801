import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import EngineError, InputError, WorkError
from pav.models.settings import RunSettings
from pav.tasks.runner.batches import describe, run_units, split
from pav.tasks.runner.pool import WorkerPool
from pav.tasks.store.ledger import executions
from pav.tasks.store.manifests import find_many
from pav.tasks.store.stage_report import missing
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit

HERE = str(Path(__file__).parent)


def settings(**runner):
    return RunSettings.model_validate(
        {"runner": {"workers": 2, "retries": 1, "retry_seconds": 0.1, **runner}}
    )


@pytest.fixture
def store(tmp_path, monkeypatch, prefect_api):
    monkeypatch.setenv("PYTHONPATH", HERE)
    return Store(str(tmp_path / "store"))


def unit(name, **parameters):
    return Unit("toy", str(name), 1, {"name": name, **parameters})


def run(store, units, **runner):
    """Run units in a flow; return their results and the ids of the flow run."""
    from prefect import flow
    from prefect.context import FlowRunContext

    chosen = settings(**runner)
    flow_runs = []

    @flow
    def toy():
        context = FlowRunContext.get()
        assert context
        assert context.flow_run
        flow_runs.append(context.flow_run.id)
        with WorkerPool(chosen.runner.workers, device="cpu") as pool:
            return run_units(units, work="toy_stage", settings=chosen, store=store, pool=pool)

    return toy(), flow_runs


def events(store, name):
    return [entry["event"] for entry in executions(store) if entry["name"] == str(name)]


def test_units_run_once_each_over_both_workers(store):
    units = [unit(f"part {number}") for number in range(9)]
    done, _ = run(store, units)
    assert sorted(result.unit_id for result in done) == sorted(unit.unit_id for unit in units)
    assert missing(store, units) == []
    assert len(executions(store)) == 18
    assert len({entry["pid"] for entry in executions(store)}) == 2


def test_two_long_units_run_at_the_same_time(store):
    started = time.monotonic()
    run(store, [unit("a", do="sleep", seconds=2), unit("b", do="sleep", seconds=2)])
    spans = [(e["at"], e["event"]) for e in executions(store)]
    assert [event for _, event in sorted(spans)] == ["started", "started", "finished", "finished"]
    assert time.monotonic() - started < 60


def test_a_killed_worker_is_retried_with_what_is_left(store, tmp_path):
    marker = str(tmp_path / "marker")
    units = [unit("a"), unit("b", do="die_once", marker=marker), unit("c"), unit("d")]
    done, _ = run(store, units, workers=1)
    assert len(done) == 4
    assert events(store, "b") == ["started", "failed", "started", "finished"]
    assert events(store, "a") == ["started", "finished"]


def test_a_lost_engine_is_retried(store, tmp_path):
    marker = str(tmp_path / "marker")
    run(store, [unit("a", do="lose_engine_once", marker=marker)])
    assert events(store, "a") == ["started", "failed", "started", "finished"]


def test_bad_input_is_never_retried_and_the_others_finish_first(store):
    units = [unit("a", do="refuse"), *(unit(number) for number in range(5))]
    with pytest.raises(InputError, match="toy a: bad input"):
        run(store, units)
    assert events(store, "a") == ["started", "failed"]
    assert missing(store, units) == units[:1]


def test_a_unit_that_keeps_failing_is_told_with_how_to_go_on(store):
    units = [unit("a", do="leave"), unit("b", do="bug"), unit("c")]
    with pytest.raises(WorkError, match=r"2 units of stage 'toy' are not done.*same command"):
        run(store, units)
    assert events(store, "a") == ["started", "failed"] * 2
    assert events(store, "b") == ["started", "failed"]
    assert missing(store, units) == units[:2]


def test_a_batch_over_its_time_ends_its_worker_and_is_tried_again(store, tmp_path):
    marker = tmp_path / "marker"
    late = unit("a", do="sleep_once", marker=str(marker))
    started = time.monotonic()
    run(store, [late], timeout_seconds=6, retries=3)
    assert time.monotonic() - started < 60
    assert find_many(store, [late])
    assert events(store, "a")[:2] == ["started", "failed"]
    assert events(store, "a")[-2:] == ["started", "finished"]


def test_nothing_to_do_starts_nothing(tmp_path):
    store = Store(str(tmp_path))
    with WorkerPool(2, device="cpu") as pool:
        assert run_units([], work="toy_stage", settings=settings(), store=store, pool=pool) == []
        assert [worker.pid for worker in pool.workers] == [None, None]


def test_task_runs_are_named_tagged_and_retried_as_set(store):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    braces = "from a}b{c}.jsonl"
    _, [flow_run] = run(store, [unit("train 0 with base"), unit(braces)], workers=1)
    with get_client(sync_client=True) as client:
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
        for _ in range(50):
            runs = client.read_task_runs(flow_run_filter=chosen)
            states = [task.state for task in runs if task.state]
            if len(states) == 2 and all(state.is_final() for state in states):
                break
            time.sleep(0.1)
    names = sorted(task.name for task in runs)
    assert names == [f"toy {braces}", "toy train 0 with base"]
    assert {tuple(task.tags) for task in runs} == {("cpu",)}
    assert [state.type.value for state in states] == ["COMPLETED"] * 2


FLOW = """
import sys
from prefect import flow
from pav.flows.endings import end_with
from pav.models.settings import RunSettings
from pav.tasks.runner.batches import run_units
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit
from pav.tasks.runner.pool import pool
from pav.tasks.runner.prefect_server import orchestrated
do, marker = sys.argv[2:]
settings = RunSettings.model_validate({"runner": {"workers": 2}, "engine": {"device": "cpu"}})
first = Unit("toy", "first", 1, {"name": "first"})
second = Unit("toy", "second", 1, {"name": "second", "do": "sleep_once", "marker": marker})
@flow
def toy():
    with pool(settings) as workers:
        for unit in (first, second):
            store = Store(sys.argv[1])
            run_units([unit], work="toy_stage", settings=settings, store=store, pool=workers)
def command():
    with orchestrated() as address:
        print(address, flush=True)
        toy()
end_with(command, advice="")
"""


def children_of(pid):
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(entry.parent.name))
    return found


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def start_run(store, tmp_path, *, api):
    """Start a run in a process of its own; return it when its second unit is under way."""
    marker = tmp_path / "marker"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "home"), "PREFECT_API_URL": api}
    command = [sys.executable, "-c", FLOW, store.root, "sleep_once", str(marker)]
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert parent.stdout
    address = parent.stdout.readline().decode().strip()
    assert address.startswith("http://127.0.0.1:")
    deadline = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marker.exists()
    return parent, children_of(parent.pid)


@pytest.mark.faults
def test_a_killed_run_leaves_no_process_not_even_the_server(store, tmp_path, is_alive, wait_until):
    parent, children = start_run(store, tmp_path, api="")
    assert len(children) >= 2
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert wait_until(lambda: not any(map(is_alive, children)), seconds=10)
    run(store, missing(store, [Unit("toy", "first", 1, {"name": "first"})]))
    assert events(store, "first") == ["started", "finished"]


@pytest.mark.faults
def test_a_run_whose_server_is_killed_ends_within_seconds_with_one_message(
    store, tmp_path, is_alive, wait_until
):
    parent, children = start_run(store, tmp_path, api="")
    [server] = [pid for pid in children if b"temporary_server" in command_line(pid)]
    os.kill(server, signal.SIGKILL)
    killed = time.monotonic()
    said = parent.communicate(timeout=60)[1].decode()
    assert time.monotonic() - killed < 20
    assert parent.returncode == 1
    assert wait_until(lambda: not any(map(is_alive, children)), seconds=10)
    assert "Error" not in said
    assert "Traceback" not in said
    [line] = [line for line in said.splitlines() if not line.startswith("toy ")]
    assert line.startswith("pav: the temporary Prefect server ended with SIGKILL")
    assert line.endswith("Every finished unit is kept; the same command goes on")
    assert find_many(store, [Unit("toy", "first", 1, {"name": "first"})])


@pytest.mark.parametrize(
    ("how", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_stopped_run_ends_within_seconds_with_one_word(
    store, tmp_path, prefect_api, how, word, is_alive, wait_until
):
    parent, children = start_run(store, tmp_path, api=prefect_api)
    parent.send_signal(how)
    stopped = time.monotonic()
    said = parent.communicate(timeout=60)[1].decode()
    assert parent.returncode == 128 + how
    assert time.monotonic() - stopped < 20
    assert wait_until(lambda: not any(map(is_alive, children)), seconds=10)
    assert [line for line in said.splitlines() if not line.startswith("toy ")] == [f"pav: {word}"]


@given(st.integers(1, 200), st.integers(1, 8))
def test_batches_keep_order_lose_nothing_and_end_small(num_units, num_workers):
    units = [unit(number) for number in range(num_units)]
    groups = split(units, num_workers)
    assert [each for group in groups for each in group] == units
    sizes = [len(group) for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    assert max(sizes) <= max(1, -(-num_units // (2 * num_workers)))


def test_a_batch_is_named_by_what_differs():
    label = [Unit("label", f"label train {n} with base", 1) for n in range(8)]
    assert describe(label) == "label train 0-7 with base"
    assert describe([Unit("train", "q seed 0", 1)]) == "train q seed 0"
    assert describe([Unit("train", "q seed 0", 1), Unit("train", "orm_all seed 1", 1)]) == (
        "train q seed 0 to orm_all seed 1"
    )


def test_an_engine_error_is_worth_another_try_and_a_bad_value_is_not():
    from prefect.states import Failed

    from pav.tasks.runner.batches import may_pass

    answers = {
        kind: may_pass(None, None, Failed(data=kind("x")))  # type: ignore[arg-type]
        for kind in (EngineError, TimeoutError, ConnectionError, InputError, WorkError, TypeError)
    }
    assert [kind for kind, answer in answers.items() if answer] == [
        EngineError, TimeoutError, ConnectionError,
    ]  # fmt: skip


def test_threads_of_a_flow_may_use_one_store(store):
    threads = [
        threading.Thread(target=store.write_bytes, args=("same", bytes([65 + n]) * 1000))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(store.read_bytes("same"))) == 1
    assert store.list("") == ["same"]
