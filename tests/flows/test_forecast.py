"""What a run will make is told before any of it is there."""

import json

import pytest

from pav.flows.forecast import foresee
from pav.flows.plan import Plan
from pav.flows.settings_file import load_settings
from pav.flows.stages import all_parts
from pav.tasks.store.ledger import record
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def test_an_empty_store_is_foreseen_whole_without_writing_anything(store, tmp_path):
    outlook = foresee(Plan(load_settings("smoke"), store))
    # What `pav run smoke` makes, unit for unit (test_smoke.py holds it to that).
    assert outlook.missing == {"problems": 1, "pretrain": 1, "sample": 4, "label": 14, "train": 5,
                               "choose": 5, "evaluate": 11}  # fmt: skip
    assert outlook.line(store) == (
        f"about 41 units to make in {store.root}: problems 1, pretrain 1, sample 4, label 14, "
        "train 5, choose 5, evaluate 11"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_done_and_later_stages_are_left_out(store):
    settings = load_settings("smoke")
    problems = Plan(settings, store).part("problems").units[0]
    publish(store, problems, Outcome((Output("notes.json", b"{}"),)))
    # Its problems cannot be read, nor are they wanted for what comes before them.
    outlook = foresee(Plan(settings, store), ("problems", "pretrain"))
    assert outlook.missing == {"problems": 0, "pretrain": 1}
    assert outlook.line(store).startswith("1 unit to make in ")


def test_time_is_told_where_units_of_every_stage_were_done_before(store):
    settings = load_settings("smoke", ["runner.workers=2"])
    [pretrain] = _units(settings, store, "pretrain")
    record(store, pretrain, "finished", seconds=40.0)
    outlook = foresee(Plan(settings, store))
    assert (outlook.seconds["pretrain"], outlook.seconds["label"]) == (40.0, None)
    assert outlook.seconds_left is None
    for name in all_parts():
        for unit in _units(settings, store, name)[:1]:
            record(store, unit, "finished", seconds=10.0)
    outlook = foresee(Plan(settings, store))
    # One unit of a stage tells of its others; choose and evaluate are one stage.
    assert outlook.seconds["label"] == 140.0
    assert outlook.seconds["pretrain"] == 10.0
    # One worker for one unit, two for many: 10 + 10 + 20 + 70 + 25 + 25 + 55.
    assert outlook.seconds_left == 215.0
    assert outlook.seconds_after("train") == 80.0
    assert outlook.seconds_after("evaluate") == 0.0
    assert "; about 3:35 by what such units took before" in outlook.line(store)


def _units(settings, store, name):
    from pav.flows.forecast import Forecast

    return Forecast(settings, store).part(name).units


@pytest.mark.parametrize("unit", ["rollouts", "minutes"])
def test_a_budget_is_foreseen_in_rounds(store, unit):
    sets = ["label.planner=adaptive", "label.budget=100", f"label.budget_unit={unit}",
            "label.rounds=3"]  # fmt: skip
    outlook = foresee(Plan(load_settings("smoke", sets), store))
    # Three allocations, and three rounds of a block for each shard and policy.
    one = ["label.num_rollouts=1", "label.num_prover_rollouts=1"]
    plain = foresee(Plan(load_settings("smoke", one), store))
    assert outlook.missing["label"] == 3 + 3 * plain.missing["label"]


def test_solutions_of_a_file_are_foreseen_up_to_what_needs_its_problems(store, tmp_path):
    rows = [{"question": "1 2 3 4", "answer": "24", "response": "1 + 2 = 3 left 3 3 4\n"}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    outlook = foresee(Plan(load_settings("smoke", [f"sample.path={path}"]), store))
    assert outlook.missing == {"problems": 1, "pretrain": 1}


@pytest.mark.parametrize("config", ["quickstart", "full"])
def test_roles_kept_at_one_step_are_one_policy_and_fewer_labels(store, config):
    usual = foresee(Plan(load_settings(config), store)).missing["label"]
    steps = load_settings(config).prepare.policy("base").steps
    same = foresee(Plan(load_settings(config, [f"prepare.policies.weak.steps={steps}"]), store))
    assert 0 < same.missing["label"] < usual
