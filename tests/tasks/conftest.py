"""Fixtures that several tests of tasks share."""

import pytest

from tests.tasks.brief_world import World


@pytest.fixture(scope="session")
def brief_world(tmp_path_factory):
    """A store with samples and labels of a briefly trained policy; tests only add to it."""
    return World(tmp_path_factory.mktemp("brief"))
