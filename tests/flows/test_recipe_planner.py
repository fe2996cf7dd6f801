"""A label planner of another package goes through the whole pipeline: its knob and its rule."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.flows.conftest import Pav
from tests.plugin_package import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TOY = sorted((Path(__file__).parents[1] / "recipes/planner").glob("*.py"))
POINTS = {
    "pav.planners": {"toy": "toy_planner:PLANNER"},
    "pav.settings": {"toy": "toy_planner_settings:ToyPlannerSettings"},
}
CHOSEN = ("--set", "label.planner=toy")


def drawn(results, every):
    """Return blocks with the steps of their prefixes: the toy's by its knob, smoke's by None."""
    units = [json.loads(path.read_text())["unit"] for path in results.manifests("label")]
    knobs = {unit["unit_id"]: unit["parameters"].get("planner", {}).get("every") for unit in units}
    asked = [name for name, knob in knobs.items() if knob == every]
    prefixes = results.rows("sample", "prefixes").unique("prefix_id")
    blocks = results.rows("label", "label_blocks").filter(pl.col("unit_id").is_in(asked))
    return blocks.join(prefixes.select("prefix_id", "num_steps"), on="prefix_id", how="left")


def names(blocks):
    """Return the prefix and the policy of each block."""
    return set(blocks.select("prefix_id", "policy_id").iter_rows())


def test_a_planner_of_another_package_labels_trains_and_evaluates(
    smoke_copy, tmp_path, prefect_api
):
    # What a user writes: the toy's two files, its pyproject.toml and its test.
    assert len(TOY) + 2 == 4
    site = installed(tmp_path / "site", *TOY, points=POINTS)
    pav = Pav(tmp_path, plugins=str(site), api=prefect_api)
    store = ("--store", smoke_copy.path)
    exhaustive = drawn(smoke_copy, None)
    for stage in ("label", "train", "evaluate"):
        smoke_copy.forget(stage)

    run = pav("run", "smoke", *CHOSEN, *store, "--json")
    assert run.status == 0, run.err
    assert Path(json.loads(run.out)["report"]).exists()
    made = [part for part, counts in run.summary.items() if counts["made"]]
    assert made == ["label", "train", "choose", "evaluate", "report"]

    check_blocks(drawn(smoke_copy, 2), exhaustive)
    check_database(pav, store)
    check_knob(pav, smoke_copy, exhaustive, store)
    check_without_the_package(Pav(tmp_path), store)


def check_blocks(toy, exhaustive):
    """Every second prefix, and a second block only where the first has no right rollout."""
    even = exhaustive.filter(pl.col("num_steps") % 2 == 0)
    first, later = toy.filter(block=0), toy.filter(pl.col("block") > 0)
    assert names(first) == names(even) < names(exhaustive)
    assert set(first["stopping_rule"]) == {"fixed"}
    assert set(later["stopping_rule"]) == {"first_right most=2"}
    # Provers have one block of each prefix.
    [base] = later["policy_id"].unique()
    assert names(later) == names(first.filter(policy_id=base, num_correct=0))
    assert 0 < later.height < first.filter(policy_id=base).height
    # They are rollouts of the same streams that `exhaustive` draws from.
    both = toy.join(exhaustive, on=["prefix_id", "policy_id", "seed", "block"])
    assert both.height == toy.height
    assert (both["num_correct"] == both["num_correct_right"]).all()


def check_database(pav, store):
    """The database knows the toy's rule after the package's own, and finds no fault."""
    assert pav("check", *store).status == 0
    query = "select name from stopping_rules order by rank"
    known = json.loads(pav("sql", query, "--format", "json", *store).out)
    names = [row["name"] for row in known]
    assert names == ["fixed", "sequential", "allocated", "fresh", "search", "first_right"]
    query = "select distinct split_part(stopping_rule, ' ', 1) as rule from labels order by rule"
    rules = json.loads(pav("sql", query, "--format", "json", *store).out)
    assert [row["rule"] for row in rules] == ["first_right", "fixed"]


def check_knob(pav, results, exhaustive, store):
    """Another value of the knob is other units, which label other prefixes."""
    known = len(results.manifests("label"))
    again = pav("label", "smoke", *CHOSEN, *store)
    assert (again.status, len(results.manifests("label"))) == (0, known), again.err
    other = pav("label", "smoke", *CHOSEN, "--set", "plugins.toy.every=1", *store)
    assert other.status == 0, other.err
    assert len(results.manifests("label")) > known
    assert names(drawn(results, 1)) == names(exhaustive) > names(drawn(results, 2))
    refused = pav("label", "smoke", *CHOSEN, "--set", "plugins.toy.every=0", *store)
    assert refused.status != 0
    assert "plugins.toy.every" in refused.err


def check_without_the_package(pav, store):
    """Without the package its name is refused, and those that there are stand in the message."""
    refused = pav("run", "smoke", *CHOSEN, *store)
    assert refused.status != 0
    assert "label.planner" in refused.err
    assert "'exhaustive'" in refused.err
    assert "Traceback" not in refused.err
