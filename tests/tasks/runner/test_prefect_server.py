import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from pav.models.errors import EngineError, InputError
from pav.tasks.runner.prefect_server import orchestrated
from pav.tasks.store.local_files import cache_folder

PARENT = """
from pav.tasks.runner.private_server import PrivateServer
import sys
server = PrivateServer()
print(server.pid, server._port(), flush=True)
sys.stdin.read()
"""


def test_the_temporary_server_ends_when_its_parent_is_killed(tmp_path, is_alive, wait_until):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    )
    assert parent.stdout
    server, port = map(int, parent.stdout.readline().split())
    assert port > 0
    assert is_alive(server)
    parent.kill()
    parent.communicate()
    assert wait_until(lambda: not is_alive(server), seconds=10)


START = """
from pav.models.errors import EngineError
from pav.tasks.runner.private_server import PrivateServer
server = PrivateServer()
try:
    server.wait_until_ready()
except EngineError as error:
    print(error)
server.stop()
"""


def test_a_server_that_cannot_start_is_one_message_and_ends_in_order(tmp_path):
    folder = tmp_path / "pav" / "prefect"
    folder.mkdir(parents=True)
    (folder / "prefect.db").write_bytes(b"no database" * 100)
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert "did not start: it ended with exit status" in done.stdout
    assert f"{folder}/prefect.db" in done.stdout
    assert "Fatal Python error" not in done.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(EngineError, match=r"file/pav/prefect: expected a folder"),
        orchestrated(),
    ):
        pass


def test_the_database_of_the_temporary_server_is_its_users_alone(prefect_api):
    folder = cache_folder() / "prefect"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "prefect.db").stat().st_mode & 0o777 == 0o600


def test_a_configured_server_is_used_and_no_other_is_started(prefect_api):
    with orchestrated() as address:
        assert address == prefect_api
    assert os.environ["PREFECT_API_URL"] == prefect_api


@pytest.mark.parametrize(
    ("address", "kind"), [("http://127.0.0.1:9/api", EngineError), ("no-address", InputError)]
)
def test_a_server_that_cannot_be_reached_is_named_with_what_to_do(address, kind):
    expected = f"PREFECT_API_URL: expected a running Prefect server at {address}"
    with (
        temporary_settings({PREFECT_API_URL: address}),
        pytest.raises(kind, match=expected),
        orchestrated(),
    ):
        pass


@pytest.fixture
def serve():
    """Start a server that gives every request one answer; return its address."""
    servers = []

    def start(status, text):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *arguments):
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/api"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (404, "", "got status 404"),
        (200, "<html>hello</html>", "got <html>hello</html>, which is no version of Prefect"),
        (200, '{"version": "3.8.8"}', "no version"),
    ],
)
def test_a_server_that_is_not_prefect_is_refused_before_any_work(serve, status, text, words):
    with (
        temporary_settings({PREFECT_API_URL: serve(status, text)}),
        pytest.raises(InputError, match=words),
        orchestrated(),
    ):
        pass


@pytest.mark.parametrize(("status", "text"), [(401, ""), (200, '"3.8.8"')])
def test_a_server_that_asks_who_is_there_is_left_to_prefect(serve, status, text):
    address = serve(status, text)
    with temporary_settings({PREFECT_API_URL: address}), orchestrated() as used:
        assert used == address
