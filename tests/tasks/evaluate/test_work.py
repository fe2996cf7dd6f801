import polars as pl
import pytest
import torch
from transformers import AutoModelForTokenClassification

from pav.models.domains import domain
from pav.models.labels.budget import total_cost
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings, RunSettings
from pav.models.verifiers.calibration import Calibration
from pav.tasks.engine.scorer import verifier_files
from pav.tasks.evaluate import work as searching
from pav.tasks.evaluate.choice import SEARCHED, choose
from pav.tasks.evaluate.plan import (
    SearchInputs,
    SearchWork,
    plan_choice,
    plan_search,
    verifiers_by_role,
)
from pav.tasks.prepare import work as pretraining
from pav.tasks.prepare.plan import plan_pretrain
from pav.tasks.prepare.policies import resolve_policies
from pav.tasks.problems.published import read_problems
from pav.tasks.report.results import search_summary
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish, read_table, read_tables
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit
from tests.policies import named_policies

HANDS = {
    "train": ["1 2 3 4", "6 6 6 6", "3 3 8 8", "2 2 3 4"],
    "validation": ["2 3 4 6", "1 5 5 5"],
    "test": ["4 9 10 13", "1 1 4 6", "2 4 6 12"],
}
SIZES = PrepareSettings(
    num_layers=1, hidden_size=16, intermediate_size=32, num_heads=2, batch_size=16,
    learning_rate=1e-2, policies=named_policies(weak=5, base=60, strong=60), warmup_steps=2,
)  # fmt: skip
SETTINGS = RunSettings.model_validate(
    {
        "prepare": SIZES.model_dump(),
        "sample": {"max_tokens": 48},
        "label": {"provers": ["weak"]},
        "evaluate": {
            "num_samples": [1, 4], "best_of_k": [4], "alphas": [0.5], "alpha_num_samples": 4,
            "search_seeds": 1, "other_seeds": 1,
        },
        "report": {"num_resamples": 200},
    }
)  # fmt: skip


def silent(message, done, total):
    pass


def published_problems(store):
    family = domain("countdown")
    names = (
        "problem_id", "domain", "question", "answer", "answer_source", "split", "source",
        "canonical_key",
    )  # fmt: skip
    given = [
        family.problem(hand, "24", problem_id="", split=split)
        for split, hands in HANDS.items()
        for hand in hands
    ]
    rows = [{name: getattr(each, name) for name in names} | {"unit_id": "p"} for each in given]
    table = to_parquet("problems", frame("problems", rows))
    unit = Unit("problems", "problems", 1)
    return publish(store, unit, Outcome((Output("problems.parquet", table, len(rows)),)))


def published_verifier(store, *heads):
    """A network of random weights, the same for the same heads."""
    tokenizer = build_tokenizer()
    config = build_config(SIZES, tokenizer)
    config.num_labels = len(heads)
    torch.manual_seed(len(heads[0]))
    model = AutoModelForTokenClassification.from_config(config)
    calibration = {head: Calibration(3.0, 0.0) for head in heads}
    files = verifier_files(model, tokenizer, calibration=calibration, card="", details={})
    outputs = tuple(Output(f"model/{name}", data) for name, data in files.items())
    return publish(store, Unit("train", heads[0], 1, {"heads": list(heads)}), Outcome(outputs))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Inputs of an evaluation with a briefly trained policy; what its worker made of each unit."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    problems = published_problems(store)
    [unit] = plan_pretrain(SETTINGS, problems)
    trained = publish(store, unit, pretraining.open_worker(SETTINGS, store, "cpu", silent)(unit))
    verifiers = [
        published_verifier(store, *heads)
        for heads in (("q", "q_weak"), ("orm_all",), ("orm_seed",))
    ]
    inputs = SearchInputs(
        0,
        read_problems(store, problems.unit.unit_id),
        problems,
        resolve_policies(SETTINGS, store, trained)["base"],
        verifiers_by_role(verifiers),
    )
    execute = searching.open_worker(SETTINGS, store, "cpu", silent)
    grid = [publish(store, each, execute(each)) for each in plan_choice(SETTINGS, inputs)]
    choice = choose(SETTINGS, *(read_tables(store, grid, name) for name in SEARCHED))
    tested = [publish(store, each, execute(each)) for each in plan_search(SETTINGS, inputs, choice)]
    return store, inputs, [*grid, *tested]


@pytest.mark.slow
def test_an_evaluation_goes_from_validation_to_a_summary_of_every_arm(evaluated):
    store, _, manifests = evaluated
    results = read_tables(store, manifests, "search_results")
    summary = search_summary(SETTINGS, results, read_tables(store, manifests, "final_picks"))
    assert summary["num_test_problems"] == len(HANDS["test"])
    arms = {(arm["strategy"], arm["verifier"], arm["prover"]) for arm in summary["arms"]}
    assert ("beam", "pav", "weak") in arms
    assert ("best_of_n", "orm_seed", "") in arms
    assert min(results["generated_tokens"]) > 0


@pytest.mark.slow
def test_a_unit_executed_again_finds_the_same(evaluated):
    store, _, manifests = evaluated
    execute = searching.open_worker(SETTINGS, store, "cpu", silent)
    for manifest in manifests[:2]:
        outcome = execute(manifest.unit)
        assert outcome.made_with == {"engine.batch_size": str(SETTINGS.engine.batch_size)}
        for output in outcome.outputs:
            before = read_table(store, manifest, output.name.removesuffix(".parquet"))
            again = pl.read_parquet(output.data)
            assert again.drop("seconds", strict=False).equals(before.drop("seconds", strict=False))


@pytest.mark.slow
def test_problems_of_a_unit_are_those_of_its_split_alone(evaluated):
    store, _, manifests = evaluated
    splits = {
        split: set(searching.split_problems(store, manifest.unit.inputs["problems"], split))
        for manifest in manifests
        for split in [SearchWork.of(manifest.unit).split]
    }
    assert {split: len(names) for split, names in splits.items()} == {"validation": 2, "test": 3}
    assert not splits["validation"] & splits["test"]


@pytest.mark.slow
def test_an_evaluation_unit_says_where_its_time_went_and_what_gave_no_answer(evaluated):
    _, _, manifests = evaluated
    spent = total_cost(manifest.cost for manifest in manifests)
    parts = ("engine_seconds", "grading_seconds", "scoring_seconds")
    assert all(spent[item] > 0 for item in parts)
    assert sum(spent[item] for item in parts) < spent["seconds"]
    assert 0 < spent["wasted_tokens"] < spent["generated_tokens"]
