"""A store that made nothing yet still answers every saved query and view."""

import pytest

from pav import sql
from pav.tasks.database.publishing import publish_database
from pav.tasks.database.queries import ask, check_store
from pav.tasks.store.store import Store


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    made = Store(str(tmp_path_factory.mktemp("empty")))
    publish_database(made)
    return made


@pytest.mark.parametrize("name", sql.names("queries"))
def test_a_saved_query_has_no_rows_in_an_empty_store(empty, name):
    assert ask(empty, name).height == 0


@pytest.mark.parametrize("name", [*sql.names("views"), "progress('base', 'weak', 4)",
                                  "effective_rewards('base', 'base', 1, 0.5)"])  # fmt: skip
def test_a_view_has_no_rows_in_an_empty_store(empty, name):
    assert ask(empty, f"select * from {name}").height == 0


def test_an_empty_store_has_no_faults(empty):
    assert check_store(empty) == []
