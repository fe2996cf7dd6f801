"""The recipe "add a search strategy", followed by a package that is installed beside pav."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.flows.conftest import Pav
from tests.plugin_package import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FILES = sorted((Path(__file__).parents[1] / "recipes" / "strategy").glob("*.py"))
POINTS = {
    "pav.strategies": {"greedy": "greedy:STRATEGY"},
    "pav.settings": {"greedy": "greedy_settings:GreedySettings"},
}
# Its two modules, the entry points in its pyproject.toml, and its test.
NUM_FILES = len(FILES) + 2


@pytest.fixture
def pav(tmp_path, prefect_api):
    site = installed(tmp_path / "site", *FILES, points=POINTS)
    return Pav(tmp_path, plugins=str(site), api=prefect_api)


def searched(results):
    return results.rows("evaluate", "search_results").filter(pl.col("strategy") == "greedy")


def test_a_strategy_of_another_package_is_searched_compared_and_reported(smoke_copy, pav):
    assert NUM_FILES == 4
    before = len(smoke_copy.manifests("evaluate"))
    done = pav("run", "smoke", "--store", smoke_copy.path, "--json")
    assert done.status == 0, done.err
    assert {name: each["made"] for name, each in done.summary.items()} == dict(
        dict.fromkeys(done.summary, 0), evaluate=2, report=1
    )
    assert len(smoke_copy.manifests("evaluate")) == before + 2
    rows = searched(smoke_copy)
    assert rows["problem_id"].n_unique() == 40
    assert set(rows.select("verifier", "prover").unique().iter_rows()) == {
        ("q", ""),
        ("pav", "bo4"),
    }
    # Three steps of hands of three numbers, three candidates each at most.
    assert rows["num_candidates"].max() <= 3 * 3
    reports = sorted((smoke_copy.path / "runs").glob("*/results.json"))
    found = [json.loads(path.read_text()) for path in reports]
    [told] = [each for each in found if each["settings"]["plugins"]]
    assert [arm["verifier"] for arm in told["arms"] if arm["strategy"] == "greedy"] == ["pav", "q"]
    page = next(path for path, each in zip(reports, found, strict=True) if each is told)
    assert "greedy Q" in page.with_name("report.html").read_text()
    counted = pav("sql", "select count(*) as n from search_results where strategy = 'greedy'",
                  "--store", smoke_copy.path, "--format", "csv")  # fmt: skip
    assert counted.out.split() == ["n", "80"]


def test_a_knob_of_the_strategy_makes_its_units_again_and_no_others(smoke_copy, pav):
    assert pav("evaluate", "smoke", "--store", smoke_copy.path).status == 0
    first = searched(smoke_copy)["unit_id"].unique()
    done = pav("evaluate", "smoke", "--store", smoke_copy.path, "--json",
               "--set", "plugins.greedy.num_each=1")  # fmt: skip
    assert done.summary["evaluate"]["made"] == len(first) == 2
    second = searched(smoke_copy).filter(~pl.col("unit_id").is_in(first.implode()))
    assert second["num_candidates"].max() <= 3
    wrong = pav(
        "evaluate", "smoke", "--store", smoke_copy.path, "--set", "plugins.greedy.num_eech=1"
    )
    assert (wrong.status, "did you mean 'num_each'?" in wrong.err) == (2, True)


def test_the_knobs_of_a_plugin_are_settings_like_any_other(pav):
    told = pav("settings", "plugins.greedy")
    assert "plugins.greedy.num_each=3" in told.out
    assert "integer, at least 1, at most 1,000" in told.out
