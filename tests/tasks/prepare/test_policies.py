from pathlib import Path

import pytest

from pav.models.errors import InputError, WorkError
from pav.models.settings import LabelSettings, RunSettings
from pav.tasks.prepare.plan import PretrainWork, check_trainable, plan_pretrain
from pav.tasks.prepare.policies import (
    FROM_SCRATCH,
    GIVEN,
    check_policies,
    check_provers,
    policy_id,
    resolve_policies,
)
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Outcome, Output, Unit
from tests.policies import named_policies

FILES = ("config.json", "model.safetensors", "tokenizer.json")


def settings(**sections):
    return RunSettings.model_validate(sections)


def problems_manifest(store):
    return publish(store, Unit("problems", "p", 1), Outcome((Output("list.txt", b"1 2"),)))


def checkpoint(weights):
    """The files of a folder that looks like a policy; the weights are an empty tensor file."""
    header = b'{"__metadata__":{"w":"%s"}}' % weights.encode()
    return {
        "config.json": b'{"architectures": ["LlamaForCausalLM"]}',
        "model.safetensors": len(header).to_bytes(8, "little") + header,
        "tokenizer.json": b"{}",
    }


def given(path, weights):
    path.mkdir()
    for name, data in checkpoint(weights).items():
        (path / name).write_bytes(data)
    return str(path)


WEIGHTS = {"weak": "w", "base": "b", "strong": "s"}


def pretrained(store, run, weights=WEIGHTS):
    [unit] = plan_pretrain(run, problems_manifest(store))
    outputs = [
        Output(f"{policy}/{name}", data)
        for policy, kept in weights.items()
        for name, data in checkpoint(kept).items()
    ]
    return publish(store, unit, Outcome(tuple(outputs)))


def test_the_embedded_roles_descend_from_each_other_back_to_scratch(tmp_path):
    store = Store(str(tmp_path))
    specs = resolve_policies(settings(), store, pretrained(store, settings()))
    assert list(specs) == ["weak", "base", "strong"]
    assert len({spec.policy_id for spec in specs.values()}) == 3
    assert all(len(spec.policy_id) == 16 for spec in specs.values())
    assert specs["weak"].parent_policy_id == FROM_SCRATCH
    assert specs["base"].parent_policy_id == specs["weak"].policy_id
    assert specs["strong"].parent_policy_id == specs["base"].policy_id
    for spec in specs.values():
        assert {path.name for path in spec.folder().iterdir()} == set(FILES)
        assert Path(store.address(spec.checkpoint)) == spec.folder()


def test_an_given_folder_stands_in_for_a_role_and_the_rest_stays_embedded(tmp_path):
    store = Store(str(tmp_path / "store"))
    run = settings(prepare={"policies": named_policies(base=given(tmp_path / "mine", "m"))})
    specs = resolve_policies(run, store, pretrained(store, run))
    assert specs["base"].parent_policy_id == GIVEN
    assert specs["base"].folder() == Path(specs["base"].checkpoint) == tmp_path / "mine"
    assert specs["strong"].parent_policy_id == specs["weak"].policy_id


def test_three_given_folders_need_no_training(tmp_path):
    store = Store(str(tmp_path / "store"))
    names = {role: given(tmp_path / role, role) for role in ("weak", "base", "strong")}
    run = settings(prepare={"policies": named_policies(**names)})
    assert plan_pretrain(run, problems_manifest(store)) == []
    specs = resolve_policies(run, store, None)
    assert len({spec.policy_id for spec in specs.values()}) == 3


def test_a_policy_is_what_it_is_wherever_it_lies(tmp_path):
    store = Store(str(tmp_path / "store"))
    embedded = resolve_policies(settings(), store, pretrained(store, settings()))
    run = settings(prepare={"policies": named_policies(base=given(tmp_path / "copy", "b"))})
    copied = resolve_policies(run, store, pretrained(store, run))
    assert copied["base"].policy_id == embedded["base"].policy_id
    assert copied["base"].ref.content == embedded["base"].ref.content


def test_roles_with_the_same_weights_are_one_policy_and_share_a_parent(tmp_path):
    store = Store(str(tmp_path))
    run = settings(prepare={"policies": named_policies(weak=900, base=900)})
    specs = resolve_policies(run, store, pretrained(store, run, weights=WEIGHTS | {"weak": "b"}))
    assert specs["weak"].policy_id == specs["base"].policy_id
    assert specs["weak"].parent_policy_id == specs["base"].parent_policy_id == FROM_SCRATCH
    assert specs["strong"].parent_policy_id == specs["base"].policy_id


@pytest.mark.parametrize(
    "change",
    [{"temperature": 0.7}, {"top_p": 0.9}, {"max_tokens": 32}],
    ids=lambda c: next(iter(c)),
)
def test_sampling_settings_make_another_policy(change):
    hashes = {"model.safetensors": "aa"}
    assert policy_id(settings(sample=change), hashes) != policy_id(settings(), hashes)


def test_how_many_solutions_are_sampled_makes_no_other_policy():
    hashes = {"model.safetensors": "aa"}
    changed = settings(sample={"num_train": 9, "num_shards": 3})
    assert policy_id(changed, hashes) == policy_id(settings(), hashes)
    assert policy_id(settings(), {"model.safetensors": "ab"}) != policy_id(settings(), hashes)


def test_the_training_unit_follows_its_settings_and_its_problems_only(tmp_path):
    store = Store(str(tmp_path / "store"))
    problems = problems_manifest(store)
    mine = given(tmp_path / "mine", "m")

    def unit_id(**prepare):
        return plan_pretrain(settings(prepare=prepare), problems)[0].unit_id

    assert unit_id() == unit_id(save_every=7)
    given_prover = unit_id(policies=named_policies(weak=mine))
    assert len({unit_id(), given_prover, unit_id(seed=1), unit_id(learning_rate=1e-4)}) == 4
    [unit] = plan_pretrain(settings(evaluate={"alphas": [0.2]}), problems)
    assert unit.unit_id == unit_id()
    assert unit.inputs["problems"] == problems.ref


def test_a_folder_that_is_none_is_refused_before_any_work(tmp_path):
    run = settings(prepare={"policies": named_policies(strong=str(tmp_path / "nowhere"))})
    with pytest.raises(InputError, match=r"nowhere.*got nothing at that path"):
        plan_pretrain(run, problems_manifest(Store(str(tmp_path / "store"))))


def test_the_training_ends_at_the_last_policy_that_it_is_for(tmp_path):
    store = Store(str(tmp_path / "store"))
    chosen = named_policies(base=300, strong=given(tmp_path / "mine", "m"), weak=200)
    [unit] = plan_pretrain(settings(prepare={"policies": chosen}), problems_manifest(store))
    work = PretrainWork.of(unit)
    assert (work.kept_steps, work.steps) == ({"weak": 200, "base": 300}, 300)


def test_a_policy_of_any_name_is_a_prover(tmp_path):
    run = settings(
        prepare={
            "policies": [{"name": "base"}, {"name": "sft", "path": given(tmp_path / "m", "m")}]
        },
        label={"provers": ["sft"]},
    )
    check_provers(run)
    store = Store(str(tmp_path / "store"))
    specs = resolve_policies(run, store, pretrained(store, run, weights={"base": "b"}))
    assert {name: spec.parent_policy_id for name, spec in specs.items()} == {
        "base": FROM_SCRATCH, "sft": GIVEN,
    }  # fmt: skip
    for wrong in ("weak", "base"):
        with pytest.raises(InputError, match=rf"besides base, \['sft'\], got '{wrong}'"):
            check_provers(run.model_copy(update={"label": LabelSettings(provers=(wrong,))}))


def test_a_width_that_the_heads_cannot_share_is_refused():
    run = settings(prepare={"hidden_size": 100, "num_heads": 3})
    with pytest.raises(InputError, match=r"multiple of 2 \* prepare.num_heads = 6, got 100"):
        check_policies(run.prepare)


def test_embedded_policies_without_their_training_are_an_error(tmp_path):
    store = Store(str(tmp_path))
    with pytest.raises(WorkError, match="expected the stage 'pretrain' to be done"):
        resolve_policies(settings(), store, None)
    spec = resolve_policies(settings(), store, pretrained(store, settings()))["base"]
    store.remove(f"manifests/{spec.ref.unit_id}.json")
    assert isinstance(spec.ref, InputRef)
    with pytest.raises(WorkError, match="has no manifest of pretrain-"):
        spec.folder()


def test_only_countdown_trains_the_embedded_policy():
    check_trainable(settings())
    folders = {"base": "b", "weak": "b", "strong": "b"}

    def math(**folders):
        chosen = {"policies": named_policies(**folders)}
        check_trainable(settings(problems={"domain": "math"}, prepare=chosen))

    math(**folders)
    words = r"prepare\.policies\.weak\.path: expected checkpoint folders, as the"
    with pytest.raises(InputError, match=words):
        math(**folders | {"weak": 500})


def test_only_policies_that_see_large_hands_are_trained_again_when_their_draws_change(tmp_path):
    problems = problems_manifest(Store(str(tmp_path)))
    given = {
        "four": {},
        "three": {"num_numbers": 3},
        "five": {"num_numbers": 5},
        "mixed": {"num_numbers": [4, 6]},
        "file": {"path": "mine.csv"},
    }
    parameters = {
        name: plan_pretrain(settings(problems=each), problems)[0].parameters
        for name, each in given.items()
    }
    large = {name for name, each in parameters.items() if "large_hands" in each["lessons"]}
    assert large == {"five", "mixed", "file"}
