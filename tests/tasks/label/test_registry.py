"""The registry of label planners: names, stopping rules, and what a faulty entry is told."""

import re
from pathlib import Path

import pytest

from pav.models.errors import InputError
from pav.models.planners.rules import FIXED, FRESH, RULES, SEARCH, BlockRule, rank
from pav.models.settings import LabelSettings
from pav.tasks.label import registry
from pav.tasks.label.planner_work import LabelPlanner
from pav.tasks.label.registry import PLANNERS, stopping_rules

SQL = Path(__file__).parents[3] / "sql"
OWN = BlockRule("until_two", r"until_two most=\d+", "fewer than two rollouts are right")


@pytest.fixture
def add(monkeypatch):
    """Add a planner of these rules to the registry, as an installed package would."""

    def run(*rules):
        entries = {**PLANNERS, "toy": LabelPlanner(None, rules)}
        monkeypatch.setattr(registry, "PLANNERS", entries)

    return run


def test_the_setting_offers_the_planners_of_the_registry():
    offered = LabelSettings.model_json_schema()["properties"]["planner"]["enum"]
    assert offered == list(PLANNERS)


def test_every_shared_rule_is_some_planners():
    assert stopping_rules() == list(RULES.values())


def test_rules_that_sql_speaks_of_are_shared_rules():
    files = [path.read_text() for path in SQL.rglob("*.sql")]
    spoken = {
        name
        for text in files
        for name in re.findall(r"(?:stopping_rule =|nullif\(stopping_rule,) '(\w+)'", text)
    }
    assert spoken == {FIXED, FRESH, SEARCH}


def test_a_rule_of_a_planner_comes_after_the_shared_ones(add):
    add(RULES[FIXED], OWN)
    assert stopping_rules() == [*RULES.values(), OWN]
    assert max([*RULES, "until_two most=8"], key=rank) == "until_two most=8"
    assert min("until_two most=8", SEARCH, key=rank) == SEARCH


def test_a_rule_with_another_planners_name_is_refused(add):
    add(BlockRule("fixed", "fixed n=.*", "like fixed"))
    with pytest.raises(InputError, match="'toy': the stopping rule 'fixed' is another planner's"):
        stopping_rules()


def test_a_block_by_a_rule_that_the_planner_does_not_state_is_refused():
    planner = LabelPlanner(None, (RULES[FIXED], OWN))
    planner.check_rules("toy", ["fixed", "until_two most=16"])
    with pytest.raises(InputError, match=r"planner 'toy': expected .* got 'until_two'"):
        planner.check_rules("toy", ["fixed", "until_two"])


@pytest.mark.parametrize(("name", "pattern", "says"), [
    ("until two", "until two", "one word, got 'until two'"),
    ("", "", "one word, got ''"),
    ("until_two", "two most=.*", "begins with the name, got 'two most"),
])  # fmt: skip
def test_a_rule_that_no_database_could_look_up_is_refused(name, pattern, says):
    with pytest.raises(InputError, match=says):
        BlockRule(name, pattern, "")
