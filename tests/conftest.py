"""Session fixtures: a temporary Prefect server and an S3 server, both in folders of their own."""

import os
import tempfile
import uuid

import pytest

# Before anything imports Prefect: its home decides where databases and results are kept.
_HOME = tempfile.mkdtemp(prefix="pav-tests-")
os.environ["PREFECT_HOME"] = f"{_HOME}/prefect"
os.environ["XDG_CACHE_HOME"] = f"{_HOME}/cache"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
# One thread: the models of the tests are too small for two to help.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["DO_NOT_TRACK"] = "1"
os.environ.pop("PREFECT_API_URL", None)
os.environ.pop("PAV_STORE", None)


@pytest.fixture(scope="session")
def prefect_api():
    """The address of a Prefect server that lives as long as the tests."""
    from pav.tasks.orchestrator import orchestrated

    with orchestrated() as address:
        yield address


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
