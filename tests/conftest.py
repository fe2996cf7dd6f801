"""Fixtures: a temporary Prefect server, an S3 server, and a scripted world for algorithms."""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from pav.models import plugins
from pav.models.hashing import stream_key
from pav.models.planners.blocks import OpenSolution
from pav.models.records import Extend, Grade, Grading, Prefix, Sample, Score, Verdict
from tests.plugin_package import installed

# Before anything imports Prefect: its home decides where databases and results are kept.
_HOME = tempfile.mkdtemp(prefix="pav-tests-")
os.environ["PREFECT_HOME"] = f"{_HOME}/prefect"
os.environ["XDG_CACHE_HOME"] = f"{_HOME}/cache"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
# One thread: the models of the tests are too small for two to help.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "passive"
os.environ["DO_NOT_TRACK"] = "1"
os.environ.pop("PREFECT_API_URL", None)
os.environ.pop("PAV_STORE", None)


@pytest.fixture(scope="session")
def shared_file():
    """Return the path of a published file that lies beside the project, not in it."""

    def find(name):
        path = Path(__file__).parents[2] / "shared" / "data" / name
        if not path.is_file():
            if os.environ.get("CI"):
                pytest.fail(f"{path}: expected real data, found none")
            pytest.skip(f"{path}: not on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def shared_rows(shared_file):
    """Return the rows of a published JSONL file."""
    return lambda name: [json.loads(line) for line in shared_file(name).read_text().splitlines()]


@pytest.fixture(scope="session")
def prefect_api():
    """The address of a Prefect server that lives as long as the tests."""
    from pav.tasks.runner.prefect_server import orchestrated

    with orchestrated() as address:
        yield address


@pytest.fixture(scope="session")
def is_alive():
    """Tell whether a process runs; one that only waits to be reaped does not."""

    def check(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return check


@pytest.fixture(scope="session")
def wait_until():
    """Wait until a condition holds or the seconds are over; return it as it then is."""

    def wait(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        return condition()

    return wait


@pytest.fixture(scope="session")
def s3_endpoint():
    """The address of a moto server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint, monkeypatch):
    """An empty s3:// bucket, with the environment that reaches it."""
    import boto3

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"pav-{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=name)
    return f"s3://{name}/results"


Steps = tuple[str, ...]


@dataclass
class World:
    """Children of each prefix (a step without a newline ends the response), values by verifier.

    Sample i of a prefix takes child `order` says, else i modulo the number of children.
    """

    children: Mapping[Steps, Sequence[str]]
    values: Mapping[str, Mapping[Steps, float]] = field(default_factory=dict)
    right: frozenset[str] = frozenset()
    is_shuffled: bool = False
    requests: list[object] = field(default_factory=list)

    def child(self, steps: Steps, sample: int) -> str:
        choices = self.children[steps]
        key = stream_key(*steps, sample) if self.is_shuffled else sample
        return choices[key % len(choices)]

    def sample(self, prefix: Prefix, index: int, until: str) -> Sample:
        steps: Steps = ()
        while True:
            steps += (self.child(prefix.steps + steps, index),)
            is_open = steps[-1].endswith("\n")
            if until == "step" or not is_open:
                finish: Literal["step", "stop"] = "step" if is_open else "stop"
                return Sample(steps, finish, sum(map(len, steps)), self.log_prob(steps))

    @staticmethod
    def log_prob(steps: Steps) -> float:
        """Return an exact number that differs from text to text and adds up over steps."""
        return -sum(map(ord, "".join(steps))) / 64

    def answer(self, request):
        self.requests.append(request)
        if isinstance(request, Extend):
            return tuple(
                tuple(self.sample(prefix, i, request.until) for i in range(request.num_samples))
                for prefix in request.prefixes
            )
        if isinstance(request, Score):
            values = self.values[request.verifier]
            return tuple(
                tuple(values[prefix.steps[:h]] for h in range(len(prefix.steps) + 1))
                for prefix in request.prefixes
            )
        if isinstance(request, Grade):
            return tuple(
                Grading(Verdict.CORRECT if each.text in self.right else Verdict.WRONG)
                for each in request.responses
            )
        raise TypeError(f"no reply scripted for {request!r}")


@pytest.fixture(scope="session")
def world():
    """The World class: a scripted policy with verifiers and a grader."""
    return World


@pytest.fixture(scope="session")
def play():
    """A function that runs one algorithm against a World and returns its result."""

    def run(algorithm, answers):
        reply = None
        while True:
            try:
                request = algorithm.send(reply)
            except StopIteration as stop:
                return stop.value
            reply = answers.answer(request)

    return run


@pytest.fixture
def install_here(tmp_path, monkeypatch):
    """Install a package's modules and entry points for this process; forget them afterwards."""

    def run(*modules, points):
        monkeypatch.syspath_prepend(installed(tmp_path / "site", *modules, points=points))
        for module in modules:
            name = module.stem if isinstance(module, Path) else Path(module[0]).stem
            monkeypatch.delitem(sys.modules, name, raising=False)
        plugins.plugin_points.cache_clear()

    yield run
    plugins.plugin_points.cache_clear()


@pytest.fixture
def solution():
    """Make the open prefixes of a solution: of `abc` the bare problem, a, ab (abc is finished)."""

    def make(text, is_correct=False):
        steps = tuple(f"{letter}\n" for letter in text)
        return OpenSolution(
            tuple(Prefix("p", steps[:end]) for end in range(len(steps))), is_correct
        )

    return make
