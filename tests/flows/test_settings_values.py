"""What a value of a setting may be."""

import math

import pytest
from pydantic import ValidationError

from pav.flows.checks import check_settings
from pav.flows.settings_file import config_names, load_settings
from pav.models.errors import InputError
from pav.models.search.arms import prover_names
from pav.models.settings import RunSettings, Settings


def blocks():
    return [
        field.annotation
        for field in RunSettings.model_fields.values()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings)
    ]


def numbers(kind):
    return [
        pytest.param(f"{block.__name__}.{name}", block, name, id=f"{block.__name__}.{name}")
        for block in blocks()
        for name, field in block.model_fields.items()
        if field.annotation is kind
    ]


@pytest.mark.parametrize("name", config_names())
def test_a_shipped_config_is_the_same_as_plain_values(name):
    settings = load_settings(name)
    assert RunSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(("where", "block", "name"), numbers(int))
def test_no_whole_number_is_without_an_upper_bound(where, block, name):
    bounds = block.model_fields[name].metadata
    assert any(hasattr(each, "le") or hasattr(each, "lt") for each in bounds), where


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize(("where", "block", "name"), numbers(float))
def test_no_number_is_infinite(where, block, name, value):
    with pytest.raises(ValidationError):
        block(**{name: value})


@pytest.mark.parametrize(("where", "block", "name"), numbers(int))
def test_true_is_no_number(where, block, name):
    with pytest.raises(ValidationError, match="number"):
        block(**{name: True})


WRONG = {
    "equal seeds": ("pipeline_seeds=[0,0]", "distinct"),
    "no seed": ("pipeline_seeds=[]", "at least one"),
    "a seed below 0": ("pipeline_seeds=[-1]", "from 0"),
    "a seed beyond 31 bits": ("pipeline_seeds=[2147483648]", "to 2147483647"),
    "a truth value for a seed": ("pipeline_seeds=[true]", "no truth value"),
    "a policy's seed of 100 bits": ("prepare.seed=1267650600228229401496703205376", "less than"),
    "a policy's seed below 0": ("prepare.seed=-1", "greater than or equal to 0"),
    "no alpha": ("evaluate.alphas=[]", "at least one"),
    "an alpha that is no number": ("evaluate.alphas=[.nan]", "finite"),
    "an infinite alpha": ("evaluate.alphas=[.inf]", "finite"),
    "an alpha below 0": ("evaluate.alphas=[-0.1]", "from 0"),
    "equal alphas": ("evaluate.alphas=[0.5, 0.5]", "distinct"),
    "no number of samples": ("evaluate.num_samples=[]", "at least one"),
    "no sample": ("evaluate.num_samples=[0]", "from 1"),
    "equal numbers of samples": ("evaluate.num_samples=[4, 4]", "distinct"),
    "endless samples": ("evaluate.num_samples=[1000000000]", "to 65536"),
    "best of none": ("evaluate.best_of_k=[0]", "from 1"),
    "endless responses": ("sample.max_tokens=1000000000", "less than or equal to"),
    "endless rollouts": ("label.num_rollouts=1000000000", "less than or equal to"),
    "a provers' name twice": ("label.provers=[weak, weak]", "distinct"),
}  # fmt: skip


@pytest.mark.parametrize(("option", "words"), WRONG.values(), ids=WRONG)
def test_a_value_without_sense_is_refused_with_what_is_expected(option, words):
    with pytest.raises(InputError) as caught:
        load_settings("smoke", [option])
    assert words in str(caught.value)
    assert f"--set {option}: expected" in str(caught.value)


def test_a_main_k_that_is_not_in_the_list_is_added_where_provers_are_listed():
    settings = load_settings("smoke", ["evaluate.main_k=3", "evaluate.best_of_k=[]"])
    assert prover_names(settings)[0] == "bo3"


def test_more_units_than_a_store_can_list_are_refused_with_their_number():
    settings = load_settings("smoke", ["label.num_rollouts=1000000"])
    # Two shards of training problems and one each of the others; the base and two provers.
    num_units = (2 + 1 + 1) * (1_000_000 // 2 + 2 * 1)
    with pytest.raises(InputError, match=f"label.num_rollouts.*{num_units:,} units.*block_size"):
        check_settings(settings)


def test_many_rollouts_in_large_blocks_are_few_units():
    check_settings(load_settings("smoke", ["label.num_rollouts=1000000", "label.block_size=500"]))


def test_a_planner_that_labels_a_shard_at_once_may_roll_out_as_often():
    options = ["label.num_rollouts=1000000", "label.planner=first_pit"]
    check_settings(load_settings("smoke", options))
