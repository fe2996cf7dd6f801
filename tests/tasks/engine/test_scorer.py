import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from transformers import AutoModelForTokenClassification

from pav.models.errors import InputError
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings
from pav.models.verifiers import kinds
from pav.models.verifiers.calibration import Calibration
from pav.models.verifiers.kind import Link
from pav.models.verifiers.values import Q
from pav.tasks.engine.scorer import Scorer, open_network, verifier_files, verifier_source
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

SIZES = PrepareSettings(num_layers=1, hidden_size=16, intermediate_size=32, num_heads=2)
CALIBRATION = {"q_weak": Calibration(2.0, 0.5), "q_strong": Calibration(1.0, -1.0)}


@pytest.fixture(scope="module")
def files():
    tokenizer = build_tokenizer()
    config = build_config(SIZES, tokenizer)
    config.num_labels = 2
    torch.manual_seed(1)
    model = AutoModelForTokenClassification.from_config(config)
    return verifier_files(model, tokenizer, calibration=CALIBRATION, card="# card", details={})


@pytest.fixture
def folder(files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_a_saved_verifier_is_loaded_with_its_heads_and_calibration(folder):
    loaded = open_network(folder, "cpu", "float32")
    assert loaded.heads == ("q_weak", "q_strong")
    assert loaded.calibration == tuple(CALIBRATION.values())
    assert not loaded.model.training
    assert (folder / "README.md").read_text() == "# card"


def test_scores_are_the_calibrated_sigmoids_of_each_sequence_alone(folder):
    scorer = Scorer(folder, device="cpu", dtype="float32", score_tokens=64)
    random = np.random.default_rng(0)
    start = random.integers(2, 200, 5).tolist()
    sequences = [start + random.integers(2, 200, size).tolist() for size in (1, 4, 30, 4, 9)]
    sequences += [[*sequences[1][:7], 9, 9], sequences[0]]
    ends = [(4, len(ids) - 1) for ids in sequences]
    found = scorer.score(sequences, ends)
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    for ids, where, scores in zip(sequences, ends, found, strict=True):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0, list(where)].double().numpy()
        expected = np.stack([expit(2 * logits[:, 0] + 0.5), expit(logits[:, 1] - 1)], axis=1)
        assert scores == pytest.approx(expected, abs=1e-6)
    assert scorer.score([], []) == []


def test_tokens_after_the_last_end_change_nothing(folder):
    scorer = Scorer(folder, device="cpu", dtype="float32", score_tokens=64)
    short, long = scorer.score([[5, 6, 7], [5, 6, 7, 8, 9]], [[1, 2], [1, 2]])
    assert short == pytest.approx(long, abs=1e-7)


def test_several_folders_give_their_heads_in_a_row(folder):
    scorer = Scorer(folder, folder, device="cpu", dtype="float32", score_tokens=64)
    [scores] = scorer.score([[5, 6, 7]], [[2]])
    assert scorer.heads == ("q_weak", "q_strong") * 2
    assert scores[:, :2] == pytest.approx(scores[:, 2:])


def test_bfloat16_scores_are_near_those_of_float32(folder):
    ids = [np.random.default_rng(seed).integers(2, 200, 20).tolist() for seed in range(8)]
    exact, fast = (
        Scorer(folder, device="cpu", dtype=dtype, score_tokens=64).score(ids, [[10, 19]] * 8)
        for dtype in ("float32", "bfloat16")
    )
    assert np.abs(np.array(exact) - np.array(fast)).max() < 0.02


def test_a_role_finds_its_folder_and_head(files, tmp_path):
    store = Store(str(tmp_path / "store"))
    outputs = tuple(Output(f"model/{name}", data) for name, data in files.items())
    unit = Unit("train", "both", 1, {"heads": list(CALIBRATION)})
    manifest = publish(store, unit, Outcome(outputs))
    folder, head = verifier_source(store, manifest.ref, "q_strong")
    assert head == 1
    assert (folder / "config.json").is_file()
    with pytest.raises(InputError, match="q_none"):
        verifier_source(store, manifest.ref, "q_none")


def test_a_folder_that_is_no_verifier_is_the_users_error(folder, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_network(tmp_path / "absent", "cpu", "float32")
    (folder / "pav_verifier.json").write_text(json.dumps({"heads": [{"name": "q"}]}))
    with pytest.raises(InputError, match="scale and bias"):
        open_network(folder, "cpu", "float32")
    head = {"name": "q", "scale": 1.0, "bias": 0.0}
    (folder / "pav_verifier.json").write_text(json.dumps({"heads": [head]}))
    with pytest.raises(InputError, match="as many heads"):
        open_network(folder, "cpu", "float32")
    (folder / "pav_verifier.json").unlink()
    with pytest.raises(InputError, match=r"no pav_verifier\.json"):
        open_network(folder, "cpu", "float32")


def of_kind(folder, kind):
    path = folder / "pav_verifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"kind": kind}))
    return Scorer(folder, device="cpu", dtype="float32", score_tokens=512)


def test_the_kind_of_a_folder_says_how_its_outputs_are_read(folder, monkeypatch):
    link = Link(log_odds=lambda outputs: -outputs, output=lambda rates: rates, code="-logits")
    monkeypatch.setattr(kinds, "KINDS", {"q": Q, "turned": replace(Q, link=link)})
    plain, turned = (
        of_kind(folder, kind).score([[1, 2, 3]], [[0, 2]])[0] for kind in ("q", "turned")
    )
    scale, bias = (np.array([getattr(each, name) for each in CALIBRATION.values()])
                   for name in ("scale", "bias"))  # fmt: skip
    outputs = (logit(plain) - bias) / scale
    assert turned == pytest.approx(expit(scale * -outputs + bias), abs=1e-6)
    assert np.abs(turned - plain).max() > 1e-3
    with pytest.raises(InputError, match=r"verifier '/.*got 'hard'; install the package"):
        of_kind(folder, "hard")


def test_damaged_weights_are_the_users_error(folder):
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="Transformers loads"):
        open_network(folder, "cpu", "float32")


@pytest.mark.parametrize(
    "record",
    ["[", "5", "[" * 100_000, '{"heads": 5}', '{"heads": ["q"]}', '{"heads": null}',
     f'{{"heads": [{{"name": "q", "scale": {10**400}, "bias": 0}}]}}'],
)  # fmt: skip
def test_a_junk_calibration_is_the_users_error(folder, record):
    (folder / "pav_verifier.json").write_text(record)
    with pytest.raises(InputError, match="heads with name, scale and bias"):
        open_network(folder, "cpu", "float32")


@pytest.mark.parametrize(
    "values",
    [{"num_attention_heads": 0}, {"hidden_size": "x"}, {"rope_parameters": 5},
     {"auto_map": {"AutoModelForTokenClassification": "code.Model"}, "model_type": "its-own"}],
)  # fmt: skip
def test_a_configuration_that_transformers_cannot_use_is_the_users_error(folder, values):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))
    with pytest.raises(InputError, match="a token classifier that Transformers loads"):
        open_network(folder, "cpu", "float32")
