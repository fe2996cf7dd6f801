"""The recipe for a stage, followed: a package that measures how wide intervals of labels are."""

import json
from pathlib import Path

import pytest

from tests.flows.conftest import Pav
from tests.plugin_package import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TOY = sorted((Path(__file__).parents[1] / "recipes" / "stage").glob("*.py"))
POINTS = {
    "pav.stages": {"spread": "spread_stage:STAGE"},
    "pav.units": {"spread": "spread_plan:UNITS"},
    "pav.datasets": {"spread": "spread_plan:SPREAD"},
    "pav.settings": {"spread": "spread_settings:SpreadSettings"},
}


@pytest.fixture
def spread_pav(tmp_path):
    """`pav` with the toy stage installed."""
    return Pav(tmp_path, plugins=str(installed(tmp_path / "site", *TOY, points=POINTS)))


def asked(pav, question, store):
    answer = pav("sql", question, "--format", "json", "--store", store)
    assert answer.status == 0, answer.err
    return json.loads(answer.out)


def parts(pav, store):
    overview = json.loads(pav("status", "smoke", "--json", "--store", store).out)
    return {part["part"]: part for part in overview["parts"]}


def test_a_stage_is_six_files_its_entry_points_and_its_test_among_them():
    assert len(TOY) + len(["pyproject.toml", __file__]) == 6


def test_the_stage_of_a_package_is_a_command_with_settings(spread_pav, pav):
    assert "spread" not in pav("--help").out
    told = spread_pav("--help")
    assert (told.status, told.err) == (0, "")
    assert "spread" in told.out
    assert "Measure how wide" in spread_pav("spread", "--help").out
    assert "plugins.spread.confidence" in spread_pav("settings", "plugins").out
    refused = spread_pav("spread", "smoke", "--set", "plugins.spread.confidence=2")
    assert (refused.status, "less than 1" in refused.err) == (2, True)


def test_a_run_makes_the_stage_its_table_answers_and_its_units_are_reused(
    smoke_copy, spread_pav, pav, prefect_api
):
    where = ["--store", smoke_copy.path]
    assert parts(spread_pav, smoke_copy.path)["spread"]["missing"] == 1
    done = spread_pav("run", "smoke", *where, "--json", server=prefect_api)
    assert done.status == 0, done.err
    assert "1 unit to make in" in done.err
    assert {name for name, part in done.summary.items() if part["made"]} == {"spread", "report"}
    assert done.summary["spread"]["datasets"] == ["spread"]
    check_rows(smoke_copy, spread_pav)
    # Whoever has not installed the package can still ask the database.
    [counted] = asked(pav, "select count(*) as n from spread", smoke_copy.path)
    assert counted["n"] == smoke_copy.rows("spread", "spread").height
    assert parts(spread_pav, smoke_copy.path)["spread"]["done"] == 1
    assert "nothing to do: 42 units reused" in spread_pav("run", "smoke", *where).out
    check_without(smoke_copy, pav)


def check_rows(results, pav):
    """Check every width against the same sum in SQL, and what the database says of its columns."""
    rows = asked(
        pav,
        "select width, wilson_high(num_correct, num_rollouts) - wilson_low(num_correct, "
        "num_rollouts) as expected from labels left join spread using (prefix_id, policy_id)",
        results.path,
    )
    assert len(rows) == results.rows("spread", "spread").height > 0
    assert [row["width"] for row in rows] == pytest.approx([row["expected"] for row in rows])
    said = asked(
        pav,
        "select column_name, comment from duckdb_columns() where table_name = 'spread'",
        results.path,
    )
    comments = {row["column_name"]: row["comment"] for row in said}
    assert comments["width"].startswith("width of the Wilson interval")
    # A column that pav has too needs no word of the package.
    assert comments["prefix_id"].startswith("the prefix")
    assert pav("check", "--store", results.path).status == 0


def check_without(results, pav):
    """Check that a run without the package makes nothing; the database becomes that run's."""
    where = ["--store", results.path]
    again = pav("run", "smoke", *where)
    assert (again.status, "built again: 41 units reused" in again.out) == (0, True)
    assert "nothing to do: 41 units reused" in pav("run", "smoke", *where).out
    assert len(results.manifests("spread")) == 1


def test_the_stage_runs_up_to_its_place_and_not_where_its_setting_says_no(
    smoke_copy, spread_pav, prefect_api
):
    where = ["smoke", "--store", smoke_copy.path]
    no = ["--set", "plugins.spread.is_wanted=false"]
    unwanted = spread_pav("spread", *where, *no)
    assert unwanted.status == 0, unwanted.err
    assert "spread: 0 units" in unwanted.out
    done = spread_pav("spread", *where, "--json", server=prefect_api)
    assert done.status == 0, done.err
    assert list(done.summary) == ["problems", "pretrain", "sample", "label", "spread"]
    assert done.summary["spread"]["made"] == 1
