"""The smoke pipeline, run once as a user runs it, and copies of its store to kill and damage."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filelock import FileLock

from pav.flows import command_line


@dataclass
class Finished:
    """A finished `pav` process."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def summary(self) -> dict[str, dict[str, Any]]:
        """What `--json` printed: part of the pipeline -> its counts."""
        return {stage["stage"]: stage for stage in json.loads(self.out)["stages"]}


@dataclass
class Pav:
    """Runs `pav` in processes of its own; each starts its own Prefect server unless given one."""

    folder: Path
    # What is installed besides pav, see tests/plugin_package.py.
    plugins: str = ""
    # The Prefect server of every command that is not given another one.
    api: str = ""

    def start(self, *arguments: object, server: str = "") -> subprocess.Popen[str]:
        server = server or self.api
        command = [str(Path(sys.executable).with_name("pav")), *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={
                **os.environ,
                **({"PREFECT_API_URL": server} if server else {}),
                **({"PYTHONPATH": self.plugins} if self.plugins else {}),
            },
        )  # fmt: skip

    def __call__(self, *arguments: object, server: str = "") -> Finished:
        started = time.monotonic()
        process = self.start(*arguments, server=server)
        try:
            out, err = process.communicate(timeout=500)
        finally:
            process.kill()
        return Finished(process.returncode, out, err, time.monotonic() - started)


@dataclass
class Results:
    """What a store holds, read without `pav`."""

    path: Path

    def manifests(self, stage: str) -> list[Path]:
        return sorted((self.path / "manifests").glob(f"{stage}-*.json"))

    def files(self, stage: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return (unit, file name) -> entry of every file that a stage made."""
        units = [json.loads(path.read_text()) for path in self.manifests(stage)]
        return {(u["unit"]["unit_id"], f["name"]): f for u in units for f in u["files"]}

    def contents(self, stage: str) -> dict[tuple[str, str], str]:
        """Return (unit, file name) -> sha256; wall times are no content."""
        files = self.files(stage).items()
        return {key: file["sha256"] for key, file in files if key[1] != "search_results.parquet"}

    def rows(self, stage: str, name: str) -> pl.DataFrame:
        """Return a data set as its manifests name it, in one order and without wall times."""
        paths = [f["path"] for key, f in self.files(stage).items() if key[1] == f"{name}.parquet"]
        table = pl.concat([pl.read_parquet(self.path / path) for path in sorted(paths)])
        table = table.select(pl.exclude("seconds"))
        return table.sort([c for c in table.columns if table[c].dtype != pl.List])

    def forget(self, stage: str) -> None:
        """Make a stage undone, as if its units had never been published."""
        for path in self.manifests(stage):
            path.unlink()

    def executions(self, stage: str, event: str = "finished") -> dict[str, int]:
        """Return how often each unit of a stage has that event in the ledger."""
        counts: dict[str, int] = {}
        for path in (self.path / "ledger").glob(f"{stage}-*/*.json"):
            entry = json.loads(path.read_text())
            if entry["event"] == event:
                counts[entry["unit_id"]] = counts.get(entry["unit_id"], 0) + 1
        return counts


@pytest.fixture
def pav(tmp_path: Path) -> Pav:
    return Pav(tmp_path)


@dataclass
class Smoke(Results):
    """The store that `pav run smoke` filled, and how the run went."""

    run: Finished


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Smoke:
    """Run smoke once for all test processes: the first one runs it, the others wait for it."""
    shared = tmp_path_factory.getbasetemp()
    folder = (shared if worker_id == "master" else shared.parent) / "smoke"
    told = folder / "run.json"
    with FileLock(f"{folder}.lock"):
        if not told.exists():
            folder.mkdir(exist_ok=True)
            run = Pav(folder)("run", "smoke", "--store", folder / "store")
            assert run.status == 0, run.err
            told.write_text(json.dumps(asdict(run)))
    return Smoke(folder / "store", Finished(**json.loads(told.read_text())))


@pytest.fixture
def smoke_copy(smoke: Smoke, tmp_path: Path) -> Results:
    """A copy of the smoke store that a test may damage."""
    return Results(Path(shutil.copytree(smoke.path, tmp_path / "copy")))


def descendants(pid: int) -> list[int]:
    """Return the ids of every process below `pid`, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found: list[int] = []
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found += level
    return found


@pytest.fixture
def pav_here(tmp_path, monkeypatch, capfd):
    """Run `pav` in this process and an empty folder; return exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PAV_STORE", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pav", *map(str, arguments)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as left:
            command_line.main()
        captured = capfd.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def kill_and_resume(pav, is_alive, wait_until):
    """Kill -9 a stage once a condition holds, resume it, and check what every kill must keep."""

    def run(stage, results, *, part, condition, options=()):
        known = results.executions(part)
        process = pav.start(stage, "smoke", "--store", results.path, *options)
        wait_until(lambda: condition() or process.poll() is not None, seconds=200)
        children = descendants(process.pid)
        is_midway = process.poll() is None
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate()
        assert is_midway, f"the run ended before it could be killed: {err}"
        assert children
        assert wait_until(lambda: not any(map(is_alive, children)), seconds=15), children
        survivors = [path.stem for path in results.manifests(part)]
        resumed = pav(stage, "smoke", "--store", results.path, *options)
        assert resumed.status == 0, resumed.err
        again = results.executions(part)
        # The kill may fall between a unit's manifest and its line in the ledger.
        assert all(again.get(unit, 0) <= known.get(unit, 0) + 1 for unit in survivors)
        return survivors

    return run
