import importlib
import json

import pytest
import yaml
from prefect.flows import Flow, load_flow_from_entrypoint

from pav.flows.pipeline import STAGE_FLOWS, pipeline
from pav.flows.stage_commands import stage_help
from pav.flows.stages import all_stages, stages_until
from pav.models.errors import InputError
from pav.models.plugins import named_object
from pav.models.settings import RunSettings
from pav.tasks.store.stages import UNIT_STAGES


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
    assert [*STAGE_FLOWS, "run"] == list(stage_help())


def test_the_deployment_names_a_flow_that_loads(request):
    deployments = yaml.safe_load((request.config.rootpath / "prefect.yaml").read_text())
    for deployment in deployments["deployments"]:
        flow: Flow[..., object] = load_flow_from_entrypoint(deployment["entrypoint"])
        assert flow.name == "pipeline"
        assert set(deployment["parameters"]) == set(flow.parameters.properties)


def test_every_part_of_every_stage_has_a_plan_and_functions_that_exist():
    for stage in all_stages():
        for part in stage.parts:
            for name in filter(None, (part.plan, part.check, part.notes, stage.check)):
                assert callable(named_object(name))


def test_a_stage_needs_those_before_it():
    names = [stage.name for stage in all_stages()]
    assert names == ["prepare", "sample", "label", "train", "evaluate"]
    for place, name in enumerate(names):
        assert [stage.name for stage in stages_until(name)] == names[: place + 1]


@pytest.mark.parametrize("name", UNIT_STAGES)
def test_every_stage_of_units_has_a_revision_and_a_module_that_makes_them(name):
    stage = UNIT_STAGES[name]
    assert stage.revision > 0
    # `pav import` makes its unit itself.
    assert bool(stage.work) == (name != "import")
    assert not stage.work or callable(importlib.import_module(stage.work).open_worker)
