import json
import os
import subprocess
import sys
from contextlib import suppress

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaForCausalLM

from pav.models.errors import InputError
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings
from pav.tasks.engine.checkpoints import (
    check_checkpoint,
    checkpoint_files,
    file_hashes,
    load_policy,
    load_tokenizer,
)

TINY = PrepareSettings(num_layers=1, hidden_size=16, intermediate_size=16, num_heads=2)


def tiny_model(seed=0):
    torch.manual_seed(seed)
    return LlamaForCausalLM(build_config(TINY, build_tokenizer()))


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "checkpoint"
    path.mkdir()
    for name, data in checkpoint_files(tiny_model(), build_tokenizer()).items():
        (path / name).write_bytes(data)
    return path


def test_a_saved_policy_passes_and_loads_with_the_same_weights(folder):
    check_checkpoint(folder)
    model = load_policy(folder, dtype="float32", device="cpu")
    assert not model.training
    expected = tiny_model().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
    assert load_policy(folder, dtype="bfloat16", device="cpu").dtype == torch.bfloat16
    assert load_tokenizer(folder).decode(load_tokenizer(folder).encode("4 9\n")) == "4 9\n"


def test_equal_models_give_equal_bytes_wherever_they_were_loaded_from(folder):
    first = checkpoint_files(tiny_model(), build_tokenizer())
    loaded = load_policy(folder, dtype="float32", device="cpu")
    second = checkpoint_files(loaded, load_tokenizer(folder))
    assert first["model.safetensors"] == second["model.safetensors"]
    assert checkpoint_files(tiny_model(), build_tokenizer()) == first
    assert not any(str(folder).encode() in data for data in second.values())


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def put_in_place(path, make):
    """Make something of another kind where a file lies."""
    path.unlink()
    make(path)


def write_header(folder, header):
    data = len(header).to_bytes(8, "little") + header
    (folder / "model.safetensors").write_bytes(data)


def write_index(folder, text):
    (folder / "model.safetensors.index.json").write_text(text)


DAMAGES = {
    "missing folder": (lambda f: os.rename(f, f.with_name("moved")), "got nothing at that path"),
    "no configuration": (lambda f: (f / "config.json").unlink(), "a config.json in it"),
    "broken configuration": (lambda f: (f / "config.json").write_text("{"), "JSON in config.json"),
    "list for a configuration": (lambda f: (f / "config.json").write_text("[]"), "an object in"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "weights .*found none"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "a tokenizer .*found none"),
    "a classifier": (
        lambda f: change_config(f, architectures=["BertForTokenClassification"]),
        "causal language model .*BertForTokenClassification",
    ),
    "an encoder-decoder": (lambda f: change_config(f, is_encoder_decoder=True), "causal language"),
    "weights cut off": (
        lambda f: os.truncate(f / "model.safetensors", 5000), "cut off or damaged",
    ),
    "weights of zero bytes": (
        lambda f: os.truncate(f / "model.safetensors", 0), "cut off or damaged",
    ),
    "a configuration that nests too deep": (
        lambda f: (f / "config.json").write_text("[" * 100_000), "JSON in config.json",
    ),
    "architectures a number": (
        lambda f: change_config(f, architectures=5), "causal language model .*got 5",
    ),
    "architectures a text": (
        lambda f: change_config(f, architectures="LlamaForCausalLM"), "causal language model",
    ),
    "a folder for weights": (
        lambda f: put_in_place(f / "model.safetensors", os.mkdir),
        "a regular file model.safetensors",
    ),
    "a FIFO for a tokenizer": (
        lambda f: put_in_place(f / "tokenizer.json", os.mkfifo),
        "a regular file tokenizer.json",
    ),
    "a header that is no object": (lambda f: write_header(f, b"[1, 2]"), "cut off or damaged"),
    "a header that is null": (lambda f: write_header(f, b"null"), "cut off or damaged"),
    "a header that nests too deep": (
        lambda f: write_header(f, b"[" * 100_000), "cut off or damaged",
    ),
    "an entry without offsets": (
        lambda f: write_header(f, b'{"a": {"data_offsets": []}}'), "cut off or damaged",
    ),
    "an index that is no JSON": (lambda f: write_index(f, "{"), "JSON in model.safetensors.index"),
    "an index that is a list": (lambda f: write_index(f, "[]"), "an object in .*index.json"),
    "an index without a map": (lambda f: write_index(f, "{}"), "a weight_map of file names"),
    "an index of numbers": (
        lambda f: write_index(f, '{"weight_map": {"a": 1}}'), "a weight_map of file names",
    ),
    "a missing shard": (
        lambda f: write_index(f, '{"weight_map": {"a": "model-00002-of-00002.safetensors"}}'),
        "missing .*00002-of-00002",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_folder_that_is_no_policy_is_refused_with_where_and_what(folder, damage):
    break_it, message = DAMAGES[damage]
    break_it(folder)
    with pytest.raises(InputError, match=message) as error:
        check_checkpoint(folder)
    assert str(folder) in str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
json_bytes = json_values.map(lambda value: json.dumps(value).encode())
entries = st.dictionaries(
    st.sampled_from(["data_offsets", "dtype", "shape"]),
    st.lists(st.integers() | st.text(max_size=3), max_size=3) | json_values,
)
headers = st.dictionaries(st.text(max_size=3), entries).map(lambda each: json.dumps(each).encode())


@settings(max_examples=150, deadline=None)
@given(
    config=json_bytes | st.binary(max_size=30),
    header=json_bytes | headers | st.binary(max_size=30),
    index=json_bytes | st.binary(max_size=30),
    length=st.none() | st.integers(0, 2**64 - 1),
)
@pytest.mark.parametrize("part", ["config", "header", "index"])
def test_no_checkpoint_folder_ends_in_anything_but_input_error(
    tmp_path_factory, part, config, header, index, length
):
    folder = tmp_path_factory.getbasetemp() / f"fuzzed-checkpoint-{part}"
    folder.mkdir(exist_ok=True)
    causal = b'{"architectures": ["LlamaForCausalLM"]}'
    files = {
        "config.json": config if part == "config" else causal,
        "tokenizer.json": b"{}",
        "model.safetensors.index.json": index if part == "index" else b'{"weight_map": {}}',
        "model.safetensors": (len(header) if length is None else length).to_bytes(8, "little")
        + (header if part == "header" else b"{}"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with suppress(InputError):
        check_checkpoint(folder)


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": "sixteen"},
        {"num_attention_heads": 0},
        {"num_hidden_layers": None},
        {"rope_parameters": 5},
        {"hidden_act": "no-such-activation"},
        {"auto_map": {"AutoModelForCausalLM": "code.Model"}, "model_type": "its-own"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_configuration_that_transformers_cannot_use_is_named(folder, values):
    change_config(folder, **values)
    with pytest.raises(InputError, match="expected weights that Transformers loads") as error:
        load_policy(folder, dtype="float32", device="cpu")
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("text", ["{}", "[]", "5", '{"model": {"type": "BPE"}}'])
def test_a_tokenizer_that_transformers_cannot_use_is_named(folder, text):
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(InputError, match="expected a tokenizer") as error:
        load_tokenizer(folder)
    assert str(folder) in str(error.value)


def test_a_regular_file_is_no_checkpoint(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="expected a folder, got a file"):
        check_checkpoint(tmp_path / "file")


def test_weights_that_do_not_fit_the_configuration_are_refused(folder):
    change_config(folder, architectures=["NoSuchForCausalLM"], model_type="no-such-model")
    with pytest.raises(InputError, match="weights that Transformers loads"):
        load_policy(folder, dtype="float32", device="cpu")


def test_the_hashes_follow_weights_and_tokenizer_and_nothing_else(folder):
    before = file_hashes(folder)
    (folder / "README.md").write_text("notes")
    assert file_hashes(folder) == before
    assert set(file_hashes(folder)) == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    for name in file_hashes(folder):
        original = (folder / name).read_bytes()
        (folder / name).write_bytes(original + b" ")
        assert file_hashes(folder) != before
        (folder / name).write_bytes(original)
    assert file_hashes(folder) == before


def test_checking_and_hashing_need_neither_torch_nor_transformers(folder):
    code = (
        "import sys, pathlib\n"
        "from pav.tasks.engine.checkpoints import check_checkpoint, file_hashes\n"
        "import pav.tasks.prepare.policies\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "check_checkpoint(folder), file_hashes(folder)\n"
        "sys.exit(bool({'torch', 'transformers', 'prefect'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0
