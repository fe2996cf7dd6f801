import importlib
import json

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from pav.flows import plan
from pav.flows.pipeline import STAGE_FLOWS, pipeline
from pav.flows.run import STAGE_NAMES
from pav.flows.stages import PARTS
from pav.models.errors import InputError
from pav.models.settings import RunSettings


def blocks(schema):
    """Return every block of settings that the form of a flow shows."""
    return schema.get("definitions", {})


@pytest.mark.parametrize("flow", [pipeline, *STAGE_FLOWS.values()], ids=lambda flow: flow.name)
def test_the_form_of_every_flow_has_the_settings_own_words(flow):
    schema = flow.parameters.model_dump()
    assert list(schema["properties"]) == ["settings", "store"]
    train = blocks(schema)["TrainSettings"]["properties"]["steps"]
    assert train["description"] == "Most optimiser steps of the ORM and of the Q network."
    assert (train["minimum"], train["default"]) == (1, RunSettings().train.steps)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"label": {"provers": ["sft"]}}, "label.provers"),
        ({"label": {"budget": 1000}}, "label.budget"),
        ({"problems": {"domain": "math"}}, "prepare.policies.weak.path"),
    ],
    ids=["provers", "budget", "domain"],
)
def test_the_flow_refuses_wrong_settings_before_any_work(tmp_path, settings, words):
    with pytest.raises(InputError, match=words):
        pipeline.fn(RunSettings.model_validate(settings), str(tmp_path / "store"))
    assert list(tmp_path.iterdir()) == []


def test_the_form_has_no_union():
    text = json.dumps(pipeline.parameters.model_dump())
    assert "anyOf" not in text
    assert "oneOf" not in text


def test_the_command_line_and_prefect_know_the_same_stages():
    assert tuple(STAGE_FLOWS) == STAGE_NAMES


def test_the_deployment_names_a_flow_that_loads(request):
    deployments = yaml.safe_load((request.config.rootpath / "prefect.yaml").read_text())
    for deployment in deployments["deployments"]:
        flow = load_flow_from_entrypoint(deployment["entrypoint"])
        assert flow.name == "pipeline"
        assert set(deployment["parameters"]) == set(flow.parameters.properties)


def test_every_part_of_every_stage_has_a_plan_and_modules_that_make_its_units():
    assert list(PARTS) == list(plan._PLANNERS)
    for part in PARTS.values():
        for module in part.work.values():
            assert callable(importlib.import_module(module).open_worker)
