import os
import subprocess
import sys

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from pav.models.errors import EngineError
from pav.tasks.orchestrator import orchestrated

PARENT = """
from pav.tasks.orchestrator import _start_server
import sys
server = _start_server()
print(server.pid, server.stdout.readline().decode().strip(), flush=True)
sys.stdin.read()
"""


def test_the_temporary_server_ends_when_its_parent_is_killed(tmp_path, is_alive, wait_until):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PREFECT_HOME": str(tmp_path)},
    )
    server, port = map(int, parent.stdout.readline().split())
    assert port > 0
    assert is_alive(server)
    parent.kill()
    parent.communicate()
    assert wait_until(lambda: not is_alive(server), seconds=10)


def test_a_configured_server_is_used_and_no_other_is_started(prefect_api):
    with orchestrated() as address:
        assert address == prefect_api
    assert os.environ["PREFECT_API_URL"] == prefect_api


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/api", "no-address"])
def test_a_server_that_cannot_be_reached_is_named_with_what_to_do(address):
    expected = f"PREFECT_API_URL: expected a running Prefect server at {address}"
    with (
        temporary_settings({PREFECT_API_URL: address}),
        pytest.raises(EngineError, match=expected),
        orchestrated(),
    ):
        pass
