import io
import json
from dataclasses import replace

import polars as pl
import pytest
import torch
from transformers import AutoModelForTokenClassification

from pav.models.domains import domain
from pav.models.errors import InputError
from pav.models.records import Prefix
from pav.models.settings import RunSettings
from pav.models.verifiers import kinds
from pav.models.verifiers.kind import VerifierSpec
from pav.models.verifiers.kinds import verifier_specs
from pav.models.verifiers.outcomes import ORM_ALL
from pav.tasks.engine.scorer import Scorer, open_network, verifier_source
from pav.tasks.engine.tokens import Codec
from pav.tasks.store.manifests import checkpoint_folder, publish, read_table
from pav.tasks.store.partials import load_partial
from pav.tasks.store.store import Store
from pav.tasks.store.units import Unit
from pav.tasks.train import work as training
from pav.tasks.train.data import make_examples, read_published
from pav.tasks.train.plan import TrainWork
from tests.tasks.brief_world import HANDS, SETTINGS, silent


@pytest.fixture(scope="module")
def world(brief_world):
    """The store of samples and labels that networks are trained on."""
    return brief_world


@pytest.fixture(scope="module")
def trained(world):
    """Name of a verifier -> manifest of its training."""
    units = world.units()
    manifests = world.made(training, units.values())
    return dict(zip(units, manifests, strict=True))


def with_settings(**train):
    values = SETTINGS.model_dump()
    values["train"] |= train
    return RunSettings.model_validate(values)


def test_the_verifiers_are_those_that_the_settings_ask_for():
    assert [spec.name for _, spec in verifier_specs(SETTINGS)] == [
        "q",
        "orm_all",
        "orm_seed",
        "q_weak",
    ]
    both = with_settings(heads="shared", compare_targets=True).model_dump()
    both["label"]["provers"] = ("weak", "strong")
    both["evaluate"] |= {"prover_value": "head", "best_of_k": (2,), "main_k": 4}
    specs = {spec.name: spec for _, spec in verifier_specs(RunSettings.model_validate(both))}
    assert list(specs) == ["q", "orm_all", "orm_seed", "q_bok", "q_counts", "q_provers"]
    assert specs["q_provers"].heads == ("q_weak", "q_strong")
    assert (specs["q_bok"].heads, specs["q_bok"].best_of_k) == (("q_bo2", "q_bo4"), (2, 4))
    assert specs["q_counts"].targets == "counts"


@pytest.mark.slow
def test_units_depend_on_what_can_change_them_and_on_nothing_else(world):
    before, after = world.units(), world.units(with_settings(prover_steps=11))
    changed = {name for name in before if before[name].unit_id != after[name].unit_id}
    assert changed == {"q_weak"}
    assert {role for role in before["q_weak"].inputs if role.startswith("label")} == {
        f"label:weak:{split}:0:0" for split in HANDS
    }
    assert not any(role.startswith("label:base:train") for role in before["orm_seed"].inputs)
    assert any(role.startswith("label:base:train") for role in before["orm_all"].inputs)


@pytest.mark.slow
def test_a_network_of_a_policy_that_is_not_there_is_refused(world, monkeypatch):
    asked = VerifierSpec(name="toy", heads=("toy",), policies=("wise",), best_of_k=(1,), steps=1)
    toy = replace(ORM_ALL, specs=lambda settings: [asked])
    monkeypatch.setattr(kinds, "KINDS", {"toy": toy})
    with pytest.raises(InputError, match=r"verifier 'toy': expected policies of .*, got 'wise'"):
        world.units()


@pytest.mark.slow
def test_a_training_lowers_the_loss_and_the_folder_loads_with_transformers_alone(world, trained):
    looks = read_table(world.store, trained["q"], "training_runs").sort("step")
    assert looks["step"].to_list() == [10, 20, 30, 40]
    assert looks["train_loss"][-1] < 0.9 * looks["train_loss"][0]
    folder = checkpoint_folder(world.store, trained["q"], "model")
    model = AutoModelForTokenClassification.from_pretrained(folder)
    assert model.config.id2label == {0: "q"}
    card = (folder / "README.md").read_text()
    assert "docs/method.md" in card
    assert "step ends" in card


@pytest.mark.slow
def test_training_sees_training_problems_alone_and_scores_held_out_ones_alone(world, trained):
    for unit in world.units().values():
        examples = make_examples(
            TrainWork.of(unit), read_published(world.store, unit), world.problems
        )
        seen = {world.problems[each.prefix.problem_id].split for each in examples.training}
        held = {world.problems[each.prefix.problem_id].split for each in examples.validation}
        assert (seen, held) == ({"train"}, {"validation"})
    for manifest in trained.values():
        scores = read_table(world.store, manifest, "scores")
        assert set(scores["split"]) == {"validation", "test"}


@pytest.mark.slow
def test_published_scores_are_those_of_the_folder(world, trained):
    scores = read_table(world.store, trained["q"], "scores")
    folder, head = verifier_source(world.store, trained["q"].ref, "q")
    scorer = Scorer(folder, device="cpu", dtype="float32", score_tokens=512)
    codec = Codec(open_network(folder, "cpu", "float32").tokenizer, domain("countdown"),
                  world.problems)  # fmt: skip
    solutions = pl.concat([read_table(world.store, each, "solutions") for each in world.samples])
    for row in solutions.filter(pl.col("solution_id").is_in(scores["solution_id"].implode())).rows(
        named=True
    ):
        prefix = Prefix(row["problem_id"], tuple(row["steps"]), row["finish_reason"] == "stop")
        ids, ends = codec.encode_with_ends(prefix)
        [found] = scorer.score([ids], [ends])
        mine = scores.filter(pl.col("solution_id") == row["solution_id"]).sort("num_steps")
        assert found[:, head] == pytest.approx(mine["score"].to_numpy(), abs=2e-6)
        if prefix.is_finished:
            assert mine["num_correct"][-1] == (row["verdict"] == "correct")


@pytest.mark.slow
def test_labels_of_scores_are_the_counts_of_the_heads_own_policy(world, trained):
    weak = [each for each in world.labels if each.unit.parameters["role"] == "weak"]
    blocks = pl.concat([read_table(world.store, each, "label_blocks") for each in weak])
    expected = {
        key: (correct, total)
        for key, correct, total in blocks.select(
            "prefix_id", "num_correct", "num_rollouts"
        ).iter_rows()
    }
    scores = read_table(world.store, trained["q_weak"], "scores").filter(~pl.col("is_terminal"))
    assert scores.height > 0
    for row in scores.filter(pl.col("num_rollouts") > 0).rows(named=True):
        assert (row["num_correct"], row["num_rollouts"]) == expected[row["prefix_id"]]


@pytest.mark.slow
def test_a_training_that_was_killed_ends_bit_for_bit_as_an_undisturbed_one(world, trained):
    class KilledError(Exception):
        pass

    def kill_after(message, done, total):
        if done == 30:
            raise KilledError

    unit = world.units()["q"]
    with pytest.raises(KilledError):
        training.open_worker(SETTINGS, world.store, "cpu", kill_after)(unit)
    kept = load_partial(world.store, unit)
    assert kept is not None
    assert torch.load(io.BytesIO(kept), weights_only=False)["step"] in (20, 30)
    resumed = training.open_worker(SETTINGS, world.store, "cpu", silent)(unit)
    names = {file.name: file.sha256 for file in trained["q"].files}
    again = publish(Store(world.store.root + "-again"), unit, resumed)
    assert {file.name: file.sha256 for file in again.files} == names


@pytest.mark.slow
def test_a_prover_head_and_a_shared_network_come_from_one_training(world):
    values = with_settings(steps=4, heads="shared").model_dump()
    values["label"]["provers"] = ("weak", "strong")
    values["evaluate"] |= {"prover_value": "head", "best_of_k": (2,), "main_k": 4}
    units = world.units(RunSettings.model_validate(values))
    heads = training.open_worker(SETTINGS, world.store, "cpu", silent)(units["q_bok"])
    names = [row["name"] for row in json.loads(
        {output.name: output.data for output in heads.outputs}["model/pav_verifier.json"]
    )["heads"]]  # fmt: skip
    assert names == ["q_bo2", "q_bo4"]


@pytest.mark.slow
def test_nothing_to_train_on_is_the_users_error(world):
    unit = world.units()["q"]
    without = {role: ref for role, ref in unit.inputs.items() if "train" not in role}
    hollow = Unit(unit.stage, unit.name, unit.revision, unit.parameters, without)
    with pytest.raises(InputError, match="verifier q: expected labelled solutions"):
        training.open_worker(SETTINGS, world.store, "cpu", silent)(hollow)
