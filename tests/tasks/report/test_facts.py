"""A report says by which code and settings its data were made."""

import subprocess

import pytest

from pav.flows.settings_file import config_names, load_settings
from pav.tasks.report.facts import commit_of, config_words, machine_words, nearest_config


def git(folder, *words):
    identity = ("-c", "user.name=n", "-c", "user.email=e@e", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A repository with one committed file."""
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_the_commit_is_that_of_the_checkout_and_changes_are_said(checkout):
    commit = git(checkout, "rev-parse", "--short=12", "HEAD")
    assert commit_of(checkout / "code.py") == commit
    (checkout / "code.py").write_text("2\n")
    assert commit_of(checkout / "code.py") == f"{commit} with uncommitted changes"


def test_installed_code_inside_anothers_checkout_has_no_commit(checkout):
    (checkout / "site-packages").mkdir()
    (checkout / "site-packages" / "code.py").write_text("1\n")
    assert commit_of(checkout / "site-packages" / "code.py") == ""


def test_code_imported_any_checkout_has_no_commit(tmp_path):
    (tmp_path / "code.py").write_text("1\n")
    assert commit_of(tmp_path / "code.py") == ""


@pytest.mark.parametrize("name", config_names())
def test_a_shipped_config_is_known_by_its_name_however_many_workers_run_it(name):
    assert nearest_config(load_settings(name)) == (name, [])
    assert nearest_config(load_settings(name, ["runner.workers=7"])) == (name, [])


def test_a_changed_setting_is_named_beside_the_config():
    found = nearest_config(load_settings("smoke", ["train.steps=9", "pipeline_seeds=[4]"]))
    assert found == ("smoke", ["train.steps=9", "pipeline_seeds=[4]"])
    assert config_words(*found) == "smoke with train.steps=9, pipeline_seeds=[4]"


def test_many_changed_settings_are_counted():
    words = config_words("smoke", ["a=1", "b=2", "c=3", "d=4"])
    assert words.startswith("your own; 4 settings differ from smoke")


def test_the_machine_is_described_by_cores_and_memory():
    assert "CPU core" in machine_words()
    assert "GiB" in machine_words()
