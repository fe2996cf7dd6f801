"""The smoke pipeline, run once as a user runs it, and stores that start from its results."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Finished:
    """A finished `pav` process."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def summary(self):
        """What `--json` printed: part of the pipeline -> its counts."""
        return {stage["stage"]: stage for stage in json.loads(self.out)["stages"]}


@dataclass
class Pav:
    """Runs `pav` in processes of its own, without a Prefect server unless one is given."""

    folder: Path

    def environment(self, **more):
        return {**os.environ, **more}

    def start(self, *arguments, **environment):
        """Start `pav` as a user does, in a process group of its own."""
        command = [str(Path(sys.executable).with_name("pav")), *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment(**environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __call__(self, *arguments, **environment):
        started = time.monotonic()
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=280)
        return Finished(process.returncode, out, err, time.monotonic() - started)


def descendants(pid):
    """Return the ids of every process below `pid`, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text()
            parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = []
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found += level
    return found


@pytest.fixture
def pav(tmp_path):
    return Pav(tmp_path)


@dataclass
class Smoke:
    """The store that `pav run smoke` filled, and how the run went."""

    store: Path
    run: Finished


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke")
    run = Pav(folder)("run", "smoke", "--store", folder / "store")
    assert run.status == 0, run.err
    return Smoke(folder / "store", run)


@pytest.fixture
def smoke_copy(smoke, tmp_path):
    """A copy of the smoke store that a test may damage."""
    return Path(shutil.copytree(smoke.store, tmp_path / "copy"))


def is_running(pid):
    """Tell whether a process runs; one that only waits to be reaped does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(condition, *, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def kill_once():
    """Kill -9 a `pav` process once a condition holds; every process it started must end too."""

    def kill(process, condition):
        wait_until(lambda: condition() or process.poll() is not None, seconds=200)
        children = descendants(process.pid)
        is_midway = process.poll() is None
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate()
        assert is_midway, f"the run ended before it could be killed: {err}"
        assert children
        assert wait_until(lambda: not any(map(is_running, children)), seconds=15), children

    return kill
