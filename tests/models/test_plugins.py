"""Entries of installed packages stand beside the package's own, and their faults are told."""

import pytest

from pav.models.errors import InputError
from pav.models.plugins import Registry


@pytest.fixture
def install(install_here):
    """Install a module of entries for this process."""
    return lambda text, points: install_here(("toy_entries.py", text), points=points)


def numbers():
    return Registry("numbers", {"two": 2, "one": 1}, is_entry=lambda entry: isinstance(entry, int))


def test_without_plugins_a_registry_holds_its_own_entries_in_their_order():
    assert dict(numbers()) == {"two": 2, "one": 1}
    assert list(numbers()) == ["two", "one"]
    with pytest.raises(KeyError):
        numbers()["three"]


def test_entries_of_plugins_follow_by_name(install):
    install(
        "SIX, FIVE = 6, 5", {"pav.numbers": {"six": "toy_entries:SIX", "five": "toy_entries:FIVE"}}
    )
    assert list(numbers().items()) == [("two", 2), ("one", 1), ("five", 5), ("six", 6)]
    assert len(numbers()) == 4


def test_a_name_costs_no_import(install):
    install("raise OSError('no disk')", {"pav.numbers": {"six": "toy_entries:SIX"}})
    assert list(numbers()) == ["two", "one", "six"]
    with pytest.raises(InputError, match=r"'six' of toy .*toy_entries:SIX.*OSError: no disk"):
        numbers()["six"]


def test_what_is_no_entry_of_its_kind_is_refused(install):
    install("SIX = 'six'", {"pav.numbers": {"six": "toy_entries:SIX"}})
    with pytest.raises(InputError, match=r"'six' \(pav.numbers\).*got 'six'"):
        numbers()["six"]


def test_a_plugin_cannot_take_the_place_of_an_own_entry(install):
    install("TWO = 22", {"pav.numbers": {"two": "toy_entries:TWO"}})
    with pytest.raises(InputError, match="'two' of toy: the name is pav's own"):
        list(numbers())
    with pytest.raises(InputError, match="'two' of toy: the name is pav's own"):
        numbers()["one"]
