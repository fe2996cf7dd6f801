"""Fixtures that several tests of tasks share."""

import pytest

from tests.tasks.brief_world import TrainedWorld, World


@pytest.fixture(scope="session")
def brief_world(tmp_path_factory):
    """A store with samples and labels of a briefly trained policy; tests only add to it."""
    return World(tmp_path_factory.mktemp("brief"))


@pytest.fixture(scope="session")
def trained_world(tmp_path_factory):
    """A store with a Q network, fitted on a policy that is right now and then."""
    return TrainedWorld(tmp_path_factory.mktemp("trained"))
