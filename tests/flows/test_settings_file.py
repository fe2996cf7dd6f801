import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.flows.settings_file import config_names, load_settings
from pav.models.domains import domain_of
from pav.models.errors import InputError
from pav.models.settings import RunSettings


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", config_names())
def test_every_shipped_config_is_valid(name):
    assert isinstance(load_settings(name), RunSettings)


def test_an_empty_file_gives_the_defaults(config):
    assert load_settings(config("")) == RunSettings()


def test_the_command_line_wins_over_the_file(config):
    settings = load_settings(config("train: {steps: 7, patience: 2}"), ["train.steps=9"])
    assert (settings.train.steps, settings.train.patience) == (9, 2)


def test_the_last_of_two_options_wins():
    assert load_settings("smoke", ["train.steps=3", "train.steps=4"]).train.steps == 4


def test_values_are_yaml():
    settings = load_settings(
        "smoke", ["evaluate.alphas=[0.1, 0.9]", "train.balance=true", "train.learning_rate=1e-4"]
    )
    assert settings.evaluate.alphas == (0.1, 0.9)
    assert settings.train.balance is True
    assert settings.train.learning_rate == 1e-4


@pytest.mark.parametrize(
    "text",
    ["[Tt]he answer is (.*)", "Question: {question}\\n", "{question}", "# {question}", "~", "12",
     "'", "*x", "no", " a ", "a: b", "'a' or 'b", "%{question}", "2001-99-99", "\"{question}"],
)  # fmt: skip
def test_text_is_taken_as_it_stands_where_the_setting_is_text(text):
    settings = load_settings(
        "smoke", [f"problems.prompt={text}", f"problems.answer_pattern={text}"]
    )
    assert (settings.problems.prompt, settings.problems.answer_pattern) == (text, text)


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_text_without_quotes_around_it_is_taken_as_it_stands(text):
    is_quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    if not is_quoted:
        assert load_settings("smoke", [f"problems.prompt={text}"]).problems.prompt == text


def test_text_in_quotes_is_yaml_so_that_it_can_have_line_ends():
    settings = load_settings(
        "smoke", ['problems.prompt="Q: {question}\\nA:"', "problems.path='a b'"]
    )
    assert (settings.problems.prompt, settings.problems.path) == ("Q: {question}\nA:", "a b")


@given(st.integers(1, 10**6))
def test_any_allowed_number_of_steps_is_taken(steps):
    assert load_settings("smoke", [f"train.steps={steps}"]).train.steps == steps


def test_three_pipeline_seeds_stand_in_full():
    assert len(load_settings("full").pipeline_seeds) >= 3


WRONG_OPTIONS = {
    "unknown setting": ("train.stepz=3", ["--set train.stepz=3", "did you mean 'steps'"]),
    "unknown block": ("trane.steps=3", ["--set trane.steps=3", "did you mean 'train'"]),
    "out of bounds": ("train.steps=0", ["--set train.steps=0", "greater than", "got 0"]),
    "wrong type": ("train.steps=many", ["expected an integer", "got 'many'"]),
    "a choice": ("train.heads=both", ["'separate' or 'shared'", "got 'both'"]),
    "not a list": ("pipeline_seeds=3", ["expected a list", "got 3"]),
    "a value for a block": ("train=3", ["expected a block of settings", "got 3"]),
    "a block in a value": ("train.steps.a=3", ["'steps' is a value"]),
    "no equals sign": ("train.steps", ["expected KEY=VALUE"]),
    "no key": ("=3", ["expected KEY=VALUE"]),
    "not YAML": ("train.steps=[1", ["expected a YAML value"]),
    "nothing for a text": (
        "engine={device: ~}",
        ["--set engine={device: ~}: expected text", "None"],
    ),
    "a date for a number": ("prepare.seed=2001-99-99", ["expected a YAML value", "month"]),
    "a tag that lies": ("prepare.seed=!!int ''", ["expected a YAML value"]),
    "half a character": ('engine.device="\\ud800"', ["text that can be written in UTF-8"]),
    "an endless number": ("train.steps=0x" + "f" * 9000, ["expected", "36,000 bits"]),
    "a deep value": ("train.steps=" + "[" * 600, ["nested too deeply"]),
    "a deep pattern": (
        "problems={domain: math, answer_pattern: '" + "(" * 5000 + "'}",
        ["problems.answer_pattern", "at most 1000 characters"],
    ),
}


@pytest.mark.parametrize(("option", "words"), WRONG_OPTIONS.values(), ids=WRONG_OPTIONS)
def test_a_wrong_option_is_named_with_what_was_expected(option, words):
    with pytest.raises(InputError) as caught:
        domain_of(load_settings("smoke", [option]))
    assert len(str(caught.value)) < 700
    for word in words:
        assert word in str(caught.value)


WRONG_FILES = {
    "unknown setting": ("train: {stepz: 3}", ["mine.yaml: train.stepz", "did you mean 'steps'"]),
    "out of bounds": ("train:\n  steps: -1\n", ["mine.yaml: train.steps", "got -1"]),
    "a key twice": ("train: {steps: 1}\ntrain: {steps: 2}", ["line 2", "'train' stands twice"]),
    "not YAML": ("train: [", ["expected YAML", "line"]),
    "a list": ("- 1", ["expected keys and values", "got [1]"]),
    "a deep list": ("train: " + "[" * 600, ["mine.yaml", "nested too deeply"]),
    "a key that is no text": ("1: 2", ["expected names of settings, got 1"]),
    "a key twice within": ("train: {steps: 1, steps: 2}", ["line 1", "'steps' stands twice"]),
    "one of several": ("evaluate: {alphas: [0.1, x]}", ["evaluate.alphas.1", "got 'x'"]),
}


@pytest.mark.parametrize(("text", "words"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_file_is_named_with_its_key(config, text, words):
    with pytest.raises(InputError) as caught:
        load_settings(config(text))
    for word in words:
        assert word in str(caught.value)


def test_every_mistake_is_told_at_once():
    with pytest.raises(InputError) as caught:
        load_settings("smoke", ["train.steps=0", "sample.top_p=2"])
    assert len(str(caught.value).splitlines()) == 2


def test_a_config_that_is_nowhere_lists_the_names():
    with pytest.raises(InputError, match=r"full, quickstart, smoke.*no such file"):
        load_settings("quickstrat")


def test_a_folder_is_no_config(tmp_path):
    with pytest.raises(InputError, match="a folder"):
        load_settings(str(tmp_path))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="line 1 is not UTF-8 text"):
        load_settings(str(path))


def test_an_empty_value_is_the_empty_text(config):
    path = config("problems: {path: somewhere}")
    assert load_settings(path).problems.path == "somewhere"
    assert load_settings(path, ["problems.path="]).problems.path == ""


def test_one_value_of_a_named_block_is_set_by_its_name(config):
    def known(prepare):
        return {each.name: (each.path, each.steps) for each in prepare.policies}

    default = known(load_settings(config("{}")).prepare)
    assert default == {"weak": ("", 500), "base": ("", 1000), "strong": ("", 1500)}
    options = ["prepare.policies.weak.path=[1, 2]", "prepare.policies.sft.steps=7"]
    changed = known(load_settings(config("{}"), options).prepare)
    assert changed == default | {"weak": ("[1, 2]", 500), "sft": ("", 7)}
    path = config("prepare: {policies: [{name: base, steps: 3}, {name: tiny}]}")
    given = known(load_settings(path, ["prepare.policies.base.steps=4"]).prepare)
    assert given == {"base": ("", 4), "tiny": ("", 1000)}


@pytest.mark.parametrize(
    ("option", "words"),
    {
        "prepare.policies.weak.step=5": "--set .*weak.step=5: unknown setting 'step'; did you mean",
        "prepare.policies.weak=5": "expected a setting of 'weak', such as prepare.policies.weak",
        "prepare.policies.weak.steps=x": "--set .*weak.steps=x: expected an integer, got 'x'",
        "prepare.policies.bo4.steps=5": "distinct names, `base` among them, none called boK",
        "prepare.policies.boss.steps=5": "begins with bo, as best-of-K provers do, got",
        "prepare.policies.counts.steps=5": "none called boK, counts",
        "prepare.policies=[{name: weak}]": "`base` among them",
        "prepare.policies=[{name: base, steps: 0}]": "expected greater than or equal to 1, got 0",
    }.items(),
)
def test_what_is_no_policy_is_told_with_its_name(config, option, words):
    with pytest.raises(InputError, match=words):
        load_settings(config("{}"), [option])


def test_a_mistake_in_a_file_is_told_by_the_name_of_its_block(config):
    path = config("prepare: {policies: [{name: base}, {name: tiny, steps: 0}]}")
    with pytest.raises(InputError, match=r"prepare.policies.tiny.steps: expected"):
        load_settings(path)


def test_merge_keys_take_over_a_block_and_lose_to_its_own_keys(config):
    text = """
    x: &x {steps: 7, patience: 2}
    y: &y {<<: *x, steps: 8}
    train: {<<: *y, patience: 3}
    """
    with pytest.raises(InputError, match="unknown setting 'x'"):
        load_settings(config(text))
    merged = "prepare: &p {num_layers: 3, seed: 1}\ntrain: {<<: {steps: 8, patience: 2}, steps: 9}"
    settings = load_settings(config(merged))
    assert (settings.train.steps, settings.train.patience, settings.prepare.seed) == (9, 2, 1)


def test_merges_of_merges_do_not_double(config):
    levels = ["a0: &a0 {k: 1}"]
    levels += [f"a{n + 1}: &a{n + 1} {{<<: [*a{n}, *a{n}]}}" for n in range(60)]
    with pytest.raises(InputError, match="unknown setting 'a0'"):
        load_settings(config("\n".join(levels)))


def test_lists_of_lists_of_one_list_are_not_written_out(config):
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(30)]
    with pytest.raises(InputError) as caught:
        load_settings(config("\n".join([*levels, "train: *a30", "seed: *a30"])))
    assert len(str(caught.value)) < 20_000


def test_of_very_many_mistakes_the_first_are_told(config):
    with pytest.raises(InputError) as caught:
        load_settings(config("\n".join(f"{'k' * 500}{n}: 1" for n in range(3000))))
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (21, "and 2,980 more")
    assert max(map(len, lines)) < 900


def test_a_pipe_is_no_config(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a pipe"):
        load_settings(str(tmp_path / "pipe"))
