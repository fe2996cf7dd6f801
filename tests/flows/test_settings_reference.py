"""Every setting is listed with what it takes, and docs/settings.md is what the models say."""

from pathlib import Path

import pytest

from pav.flows.settings_file import load_settings
from pav.flows.settings_reference import reference
from pav.models.errors import InputError
from pav.models.settings import RunSettings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def leaves(values, start=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{start}{name}.")
        else:
            yield f"{start}{name}", value


def test_every_setting_is_listed_with_its_default_and_a_description():
    found = {setting.key: setting for setting in reference().settings}
    assert {key: each.default for key, each in found.items()} == dict(
        leaves(RunSettings().model_dump(mode="json"))
    )
    assert [key for key, each in found.items() if not each.description or not each.values] == []


def test_the_page_is_what_the_models_say():
    assert PAGE.read_text(encoding="utf-8") == reference().as_markdown(), (
        "pav settings --markdown > docs/settings.md"
    )


def test_a_setting_says_its_type_bounds_choices_and_its_value_in_quickstart():
    [confidence] = reference("report.confidence").settings
    assert confidence.values == "number, above 0.5, below 1"
    [provers] = reference("label.provers").settings
    assert provers.values == "list: text; distinct values"
    [seeds] = reference("pipeline_seeds").settings
    assert seeds.values.startswith("list: integer; distinct numbers from 0 to ")
    [steps] = reference("train.steps").settings
    assert steps.quickstart == load_settings("quickstart").train.steps != steps.default
    assert f"train.steps=1500 (quickstart: {steps.quickstart})" in reference("train").as_text()


@pytest.mark.parametrize(
    ("prefix", "words"), [("trian", "did you mean 'train'"), ("x" * 50, "known blocks: problems")]
)
def test_a_prefix_of_nothing_says_what_there_is(prefix, words):
    with pytest.raises(InputError, match=words):
        reference(prefix)
