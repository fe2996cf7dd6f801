import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pav.models.errors import EngineError, InputError, WorkError
from pav.models.settings import RunSettings
from pav.tasks.runner.devices import DeviceLocks, cores_per_worker, lock_path, resolve_device
from pav.tasks.runner.messages import Job, Update, as_pav_error
from pav.tasks.runner.pool import WorkerPool
from pav.tasks.runner.pool import pool as make_pool
from pav.tasks.runner.worker import worker_environment
from pav.tasks.store.ledger import executions
from pav.tasks.store.manifests import find
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit

HERE = str(Path(__file__).parent)
SETTINGS = RunSettings().model_dump_json()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", HERE)
    return Store(str(tmp_path / "store"))


@pytest.fixture
def pool(store):
    with WorkerPool(2, device="cpu") as workers:
        yield workers


def unit(name="a", **parameters):
    return Unit("toy", name, 1, {"name": name, **parameters})


def job(store, unit):
    return Job("toy_stage", SETTINGS, store.root, unit)


def note(store, unit):
    manifest = find(store, unit)
    assert manifest is not None
    [file] = manifest.files
    return store.read_bytes(file.path).decode().split()


def test_a_worker_executes_publishes_and_stays_warm(pool, store):
    updates: list[Update] = []
    worker = pool.workers[0]
    results = [worker.run(job(store, unit(name)), updates.append) for name in ("a", "b")]
    assert [result.unit_id for result in results] == [unit("a").unit_id, unit("b").unit_id]
    assert results[0].cost["tokens"] == 3.0
    assert results[0].cost["seconds"] >= 0
    assert (updates[0].message, updates[0].done, updates[0].total) == ("working", 1, 2)
    threads = str(cores_per_worker(2))
    assert note(store, unit("a")) == ["a", threads, str(worker.pid)]
    assert note(store, unit("b")) == ["b", threads, str(worker.pid)]
    assert [e["event"] for e in executions(store)] == ["started", "finished"] * 2
    assert pool.device == "cpu"


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("refuse", InputError, "toy a: bad input"),
        ("bug", WorkError, "toy a: KeyError: 'oops'"),
        ("lose_engine_once", EngineError, "toy a: the engine gave out"),
        ("leave", EngineError, "toy a: worker process ended with exit status 7"),
    ],
)
def test_a_failure_reaches_the_parent_with_its_kind_and_the_ledger(pool, store, do, kind, message):
    with pytest.raises(kind) as caught:
        pool.workers[0].run(job(store, unit(do=do)))
    assert str(caught.value) == message
    assert [e["event"] for e in executions(store)] == ["started", "failed"]
    assert pool.workers[0].run(job(store, unit("next"))).unit_id == unit("next").unit_id


def test_the_traceback_of_a_bug_comes_along(pool, store):
    with pytest.raises(WorkError) as caught:
        pool.workers[0].run(job(store, unit(do="bug")))
    assert "toy_stage.py" in caught.value.__notes__[0]


def test_a_stage_that_cannot_be_imported_is_one_error(pool, store):
    with pytest.raises(WorkError, match="No module named 'no_such_stage'"):
        pool.workers[0].run(Job("no_such_stage", SETTINGS, store.root, unit()))


def test_a_killed_worker_is_an_engine_error_and_is_replaced(pool, store, wait_until):
    worker = pool.workers[0]
    updates: list[Update] = []

    def kill():
        assert wait_until(lambda: updates)
        os.kill(worker.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(EngineError, match="ended with SIGKILL, often for lack of memory"):
        worker.run(job(store, unit(do="sleep")), updates.append)
    killer.join()
    assert executions(store)[-1]["event"] == "failed"
    worker.run(job(store, unit("b")))


def test_a_stopped_worker_is_ended_and_replaced(store, is_alive):
    stopped = []

    def stop(update):
        stopped.append(worker.pid)
        assert worker.pid
        os.kill(worker.pid, signal.SIGSTOP)

    with WorkerPool(1, device="cpu", stall_seconds=2) as pool:
        worker = pool.workers[0]
        worker.device()
        with pytest.raises(EngineError, match=r"toy a: nothing was heard of worker .* for 2 s"):
            worker.run(job(store, unit(do="sleep")), stop)
        assert not is_alive(stopped[0])
        assert executions(store)[-1]["event"] == "failed"
        assert worker.run(job(store, unit("next"))).unit_id == unit("next").unit_id


def test_a_worker_stopped_while_it_is_idle_is_ended_at_its_next_job(store):
    with WorkerPool(1, device="cpu", stall_seconds=2) as pool:
        pool.workers[0].device()
        pid = pool.workers[0].pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match="nothing was heard of worker"):
            pool.workers[0].run(job(store, unit()))


@pytest.mark.parametrize("do", ["sleep", "spin"])
def test_a_unit_that_is_silent_for_longer_than_a_stall_is_left_alone(store, do):
    slow = unit(do=do, seconds=4)
    with WorkerPool(1, device="cpu", stall_seconds=2.5) as pool:
        assert pool.workers[0].run(job(store, slow)).seconds >= 4


def test_the_pool_of_a_run_has_the_settings_patience():
    settings = RunSettings.model_validate({"runner": {"stall_seconds": 33}})
    with make_pool(settings) as workers:
        assert workers.stall_seconds == 33


def test_closing_the_pool_ends_every_process_and_refuses_work(store, is_alive):
    with WorkerPool(2, device="cpu") as pool:
        pool.start(2)
        pids = [worker.pid for worker in pool.workers]
        assert all(is_alive(pid) for pid in pids)
    assert not any(is_alive(pid) for pid in pids)
    with pytest.raises(WorkError, match="closed"):
        pool.workers[0].run(job(store, unit()))


PARENT = """
import sys
from pav.tasks.runner.messages import Job
from pav.models.settings import RunSettings
from pav.tasks.store.units import Unit
from pav.tasks.runner.pool import WorkerPool
pool = WorkerPool(1, device="cpu")
worker = pool.workers[0]
worker.device()
unit = Unit("toy", "a", 1, {"do": sys.argv[2]})
def show(update):
    print(worker.pid, flush=True)
worker.run(Job("toy_stage", RunSettings().model_dump_json(), sys.argv[1], unit), show)
"""


@pytest.mark.parametrize("do", ["sleep", "spin"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_killed_parent(store, do, how, is_alive, wait_until):
    command = [sys.executable, "-c", PARENT, store.root, do]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.send_signal(how)
    parent.wait()
    assert wait_until(lambda: not is_alive(child), seconds=5)
    assert find(store, Unit("toy", "a", 1, {"do": do})) is None


def test_a_cpu_needs_no_torch_and_an_unknown_device_is_bad_input():
    assert resolve_device("cpu", 3) == "cpu"
    for wrong in ("tpu", "cuda:x", "cuda:-1"):
        with pytest.raises(InputError, match="expected 'auto', 'cpu', 'cuda' or 'cuda:N'"):
            resolve_device(wrong, 0)


def test_a_bad_device_reaches_the_parent_as_bad_input(store):
    with WorkerPool(1, device="tpu") as pool, pytest.raises(InputError, match="'tpu'"):
        pool.workers[0].run(job(store, unit()))


def test_a_started_worker_imports_ahead_of_its_first_job(store, tmp_path, monkeypatch, wait_until):
    (tmp_path / "ahead.py").write_text("from pathlib import Path; Path(__file__ + '.here').touch()")
    monkeypatch.setenv("PYTHONPATH", f"{HERE}:{tmp_path}")
    with WorkerPool(1, device="cpu", preload=("ahead",)) as pool:
        pool.start(1)
        assert wait_until(lambda: (tmp_path / "ahead.py.here").exists())
        assert pool.workers[0].run(job(store, unit())).unit_id == unit().unit_id


def test_cores_are_shared_and_never_none():
    assert cores_per_worker(1) == len(os.sched_getaffinity(0))
    assert cores_per_worker(1000) == 1


HOLDER = """
import sys
from pav.tasks.runner.devices import DeviceLocks
locks = DeviceLocks()
locks.hold(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_run_waits_for_a_gpu_until_the_first_is_killed(tmp_path):
    device = f"cuda:{os.getpid()}"
    command = [sys.executable, "-c", HOLDER, device]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert first.stdin
    assert first.stdout
    assert first.stdout.readline() == b"held\n"
    waits = []
    locks = DeviceLocks()

    def on_wait(message):
        waits.append(message)
        first.kill()

    locks.hold(device, on_wait)
    locks.hold(device, on_wait)
    assert set(waits) == {f"waiting for {device}, which another run holds"}
    locks.close()
    first.wait()
    first.stdin.close()
    lock_path(device).unlink()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), EngineError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), EngineError),
        (ConnectionResetError("reset"), EngineError),
        (FileNotFoundError("config.json"), WorkError),
        (ValueError("wrong"), WorkError),
        (InputError("wrong"), InputError),
    ],
)
def test_every_exception_becomes_one_of_ours(error, kind):
    assert type(as_pav_error(error)) is kind


@pytest.mark.slow
def test_matrices_of_ever_new_shapes_do_not_fill_the_memory_of_a_worker(pool, store):
    many = Unit("shapes", "shapes", 1, {"warm": 200, "shapes": 600})
    pool.workers[0].run(Job("shapes_stage", SETTINGS, store.root, many))
    [grown] = note(store, many)
    # Without a bound it is about 0.6 MiB a shape.
    assert int(grown) < 120 * 2**20


def test_a_worker_keeps_few_kernels_unless_the_user_says_otherwise(monkeypatch):
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert [worker_environment(2)[name] for name in names] == ["128", "128"]
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "999")
    assert [worker_environment(2)[name] for name in names] == ["128", "999"]
    assert worker_environment(2)["OMP_NUM_THREADS"] == "2"
