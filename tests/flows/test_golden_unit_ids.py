"""Unit ids decide what a store can reuse, so no move of code may change them unannounced."""

import json
from pathlib import Path

import pytest

from pav.flows.forecast import Forecast
from pav.flows.settings_file import load_settings
from pav.flows.stages import all_parts
from pav.models.hashing import digest
from pav.tasks.store.store import Store

GOLDEN = Path(__file__).with_name("golden_unit_ids.json")
RUNS = {
    "quickstart": ("quickstart", []),
    "full": ("full", []),
    "smoke": ("smoke", []),
    "smoke, adaptive": ("smoke", ["label.planner=adaptive"]),
    "smoke, adaptive, first error": ("smoke", ["label.planner=adaptive", "label.goal=first_error"]),
    "smoke, adaptive, budget": ("smoke", ["label.planner=adaptive", "label.budget=100"]),
    "smoke, first_pit": ("smoke", ["label.planner=first_pit"]),
    "smoke, binary_search": ("smoke", ["label.planner=binary_search"]),
    "smoke, tree_search": ("smoke", ["label.planner=tree_search"]),
}


def unit_ids(config, options, root):
    """Return part -> digest of its unit ids in order; what is not made yet is stood in for."""
    plan = Forecast(load_settings(config, options), Store(root))
    parts = {name: [unit.unit_id for unit in plan.part(name).units] for name in all_parts()}
    return {name: f"{len(ids)} units, {digest(ids, length=20)}" for name, ids in parts.items()}


@pytest.mark.parametrize("name", RUNS)
def test_unit_ids_are_those_that_stores_were_made_with(name, tmp_path):
    """Where this fails, every store begins anew: raise a REVISION and say so in CHANGELOG.md."""
    config, options = RUNS[name]
    assert unit_ids(config, options, str(tmp_path)) == json.loads(GOLDEN.read_text())[name]
