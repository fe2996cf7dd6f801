import json
import os
import subprocess
import sys

import pytest
import torch
from transformers import LlamaForCausalLM

from pav.models.embedded import build_config, build_tokenizer
from pav.models.errors import InputError
from pav.models.settings import PrepareSettings
from pav.tasks.checkpoints import (
    check_checkpoint,
    checkpoint_files,
    file_hashes,
    folder_digest,
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
    "a missing shard": (
        lambda f: (f / "model.safetensors.index.json").write_text(
            '{"weight_map": {"a": "model-00002-of-00002.safetensors"}}'
        ),
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


def test_a_regular_file_is_no_checkpoint(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="expected a folder, got a file"):
        check_checkpoint(tmp_path / "file")


def test_weights_that_do_not_fit_the_configuration_are_refused(folder):
    change_config(folder, architectures=["NoSuchForCausalLM"], model_type="no-such-model")
    with pytest.raises(InputError, match="weights that Transformers loads"):
        load_policy(folder, dtype="float32", device="cpu")


def test_the_digest_follows_weights_and_tokenizer_and_nothing_else(folder):
    before = folder_digest(folder)
    (folder / "README.md").write_text("notes")
    assert folder_digest(folder) == before
    assert set(file_hashes(folder)) == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    for name in file_hashes(folder):
        original = (folder / name).read_bytes()
        (folder / name).write_bytes(original + b" ")
        assert folder_digest(folder) != before
        (folder / name).write_bytes(original)
    assert folder_digest(folder) == before


def test_checking_and_hashing_need_neither_torch_nor_transformers(folder):
    code = (
        "import sys, pathlib\n"
        "from pav.tasks.checkpoints import check_checkpoint, folder_digest\n"
        "import pav.tasks.policies\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "check_checkpoint(folder), folder_digest(folder)\n"
        "sys.exit(bool({'torch', 'transformers', 'prefect'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0
