import hashlib
from pathlib import Path

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pav.models.domains import domain
from pav.models.errors import InputError
from pav.models.policy.corpus import Corpus, pad_pairs
from pav.models.policy.embedded import build_tokenizer
from pav.models.settings import PrepareSettings, RunSettings
from pav.tasks.prepare.exercises import build_corpus, known_lessons, make_exercises
from pav.tasks.prepare.plan import PretrainWork, plan_pretrain
from pav.tasks.prepare.work import open_worker
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import checkpoint_folder, find, publish, read_table
from pav.tasks.store.partials import load_partial
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit
from tests.policies import named_policies

TINY = PrepareSettings(
    num_layers=1, hidden_size=16, intermediate_size=16, num_heads=2, batch_size=8,
    policies=named_policies(weak=10, base=20, strong=30), save_every=7, warmup_steps=2,
)  # fmt: skip
HANDS = ["1 2 3 4", "4 9 10 13", "6 6 6 6", "3 3 8 8", "1 5 5 5"]


def problems(*, split="train", hands=HANDS):
    family = domain("countdown")
    return [family.problem(hand, "24", problem_id="", split=split) for hand in hands]


def published_problems(store, given):
    columns = (
        "problem_id", "domain", "question", "answer", "answer_source", "split", "source",
        "canonical_key",
    )  # fmt: skip
    rows = [{name: getattr(problem, name) for name in columns} for problem in given]
    table = frame("problems", [row | {"unit_id": "p"} for row in rows])
    output = Output("problems.parquet", to_parquet("problems", table), table.height)
    return publish(store, Unit("problems", "problems", 1), Outcome((output,)))


def prepared(root, *, prepare=TINY, given=None):
    store = Store(str(root))
    settings = RunSettings(prepare=prepare)
    given = given or [*problems(), *problems(split="validation", hands=["2 3 4 6"])]
    [unit] = plan_pretrain(settings, published_problems(store, given))
    return settings, store, unit


def corpus_of(domain_name, problems, tokenizer, *, given) -> Corpus:
    corpus = build_corpus(domain_name, problems, tokenizer, given=given)
    assert corpus is not None
    return corpus


def silent(message, done, total):
    pass


def contents(outcome):
    return {output.name: output.data for output in outcome.outputs}


def test_a_row_is_prompt_steps_and_end_of_text_and_the_prompt_is_no_target():
    tokenizer = build_tokenizer()
    [hand] = problems(hands=["6 6 6 6"])
    corpus = corpus_of("countdown", [hand], tokenizer, given=[hand])
    paths = known_lessons("countdown").demonstrations(hand, limit=128, num_drawn=16, seed=0)
    assert len(corpus.responses) == len(paths)
    prompt = tokenizer.encode("6 6 6 6 -> 24\n")
    response = [*tokenizer.encode("".join(paths[0])), tokenizer.eos_token_id]
    inputs, targets = pad_pairs([(tuple(prompt), tuple(response)), ((5,), (6,))], pad=9)
    assert corpus.prompts == [tuple(prompt)]
    assert corpus.responses[0] == tuple(response)
    assert inputs[0].tolist() == [*prompt, *response][:-1]
    assert targets[0].tolist() == [-100] * (len(prompt) - 1) + response
    width = inputs.shape[1]
    assert inputs[1].tolist() == [5] + [9] * (width - 1)
    assert targets[1].tolist() == [6] + [-100] * (width - 1)


def test_every_order_of_a_hand_is_drawn_with_each_response_of_its_own_hand_and_target():
    family, tokenizer = domain("countdown"), build_tokenizer()
    lessons = known_lessons("countdown")
    asked = [("1 2 3 4", "24"), ("4 3 2 1", "24"), ("1 2 3 4", "10"), ("6 6 6 6", "24")]
    given = [family.problem(*each, problem_id=str(each), split="train") for each in asked]
    corpus = corpus_of("countdown", given, tokenizer, given=given)
    inputs, targets = corpus.batch(3000, seed=0, step=0)
    seen = set()
    for ids, response in zip(inputs.tolist(), targets.tolist(), strict=True):
        question, _, _ = tokenizer.decode(ids).partition("\n")
        kept = [token for token in response if token not in (-100, tokenizer.eos_token_id)]
        seen.add((question, tokenizer.decode(kept)))
    assert seen == {
        (f"{each.question} -> {each.answer}", "".join(path))
        for each in given
        for path in lessons.demonstrations(each, limit=128, num_drawn=16, seed=0)
    }


def test_exercises_of_training_hands_leave_out_what_is_held_out():
    hands = problems()
    everything = list(make_exercises("countdown", hands, []))
    held_out = [each for each in everything if each.answer != "24"][:5]
    kept = list(make_exercises("countdown", hands, held_out))
    keys = {each.canonical_key for each in held_out}
    assert keys
    assert not keys & {each.canonical_key for each in kept}
    assert {each.canonical_key for each in everything} - keys == {
        each.canonical_key for each in kept
    }


def test_each_problem_is_drawn_as_often_as_any_other_and_batches_depend_on_seed_and_step_only():
    corpus = corpus_of("countdown", problems(), build_tokenizer(), given=problems())
    inputs, _ = corpus.batch(2000, seed=3, step=5)
    first_tokens = inputs[:, :4].tolist()
    shares = [first_tokens.count(kind) / 2000 for kind in map(list, set(map(tuple, first_tokens)))]
    assert len(shares) == 5
    assert shares == pytest.approx([0.2] * 5, abs=0.04)
    assert torch.equal(corpus.batch(50, seed=3, step=5)[0], corpus.batch(50, seed=3, step=5)[0])
    same = [torch.equal(inputs[:50], corpus.batch(2000, seed=s, step=t)[0][:50]) for s, t in
            [(3, 6), (4, 5)]]  # fmt: skip
    assert same == [False, False]


def test_the_loss_of_a_small_training_falls_and_its_three_checkpoints_differ_and_load(tmp_path):
    settings, store, unit = prepared(
        tmp_path,
        prepare=TINY.model_copy(
            update={
                "policies": PrepareSettings(
                    policies=named_policies(weak=10, base=60, strong=100)
                ).policies
            }
        ),
    )
    manifest = publish(store, unit, open_worker(settings, store, "cpu", silent)(unit))
    runs = read_table(store, manifest, "training_runs")
    losses = runs["train_loss"].to_list()
    assert runs["step"].to_list() == [50, 100]
    assert losses[0] > losses[1] + 0.1
    assert runs["validation_loss"].null_count() == 0
    hashes = {file.sha256 for file in manifest.files if file.name.endswith("model.safetensors")}
    assert len(hashes) == 3
    folder = checkpoint_folder(store, manifest, "base")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = model.generate(**tokenizer("6 6 6 6 -> 24\n", return_tensors="pt"), max_new_tokens=3)
    assert ids.shape[1] == 7 + 3 or ids[0, -1] == tokenizer.eos_token_id


class KilledError(Exception):
    pass


def killed_at(step):
    def progress(message, done, total):
        if done >= step:
            raise KilledError

    return progress


def test_a_killed_training_goes_on_from_its_last_state_and_ends_with_the_same_bytes(tmp_path):
    settings, store, unit = prepared(tmp_path / "killed")
    with pytest.raises(KilledError):
        open_worker(settings, store, "cpu", killed_at(20))(unit)
    assert load_partial(store, unit) is not None
    assert find(store, unit) is None
    steps = []
    resumed = open_worker(settings, store, "cpu", lambda message, done, total: steps.append(done))
    outcome = resumed(unit)
    # It goes on from the state saved after step 14; 0 is told while demonstrations are read.
    assert steps == [0] * (len(HANDS) + 1) + [20, 30]
    settings, store, unit = prepared(tmp_path / "undisturbed")
    undisturbed = open_worker(settings, store, "cpu", silent)(unit)
    assert contents(outcome) == contents(undisturbed)


def test_a_state_of_another_pav_is_left_alone_and_the_training_begins_anew(tmp_path):
    settings, store, unit = prepared(tmp_path / "older")
    # What the training of an earlier pav saved: sealed by its hash alone, with other keys.
    data = b"step, rows, loss_sum, kept, average, model, optimizer"
    store.write_bytes(f"partial/{unit.unit_id}.state", hashlib.sha256(data).digest() + data)
    steps = []
    told = open_worker(settings, store, "cpu", lambda message, done, total: steps.append(done))
    outcome = told(unit)
    assert steps[-3:] == [10, 20, 30]
    settings, store, unit = prepared(tmp_path / "undisturbed")
    assert contents(outcome) == contents(open_worker(settings, store, "cpu", silent)(unit))


def test_the_policy_is_trained_as_it_was_planned_whatever_the_settings_of_the_process(tmp_path):
    settings, store, unit = prepared(tmp_path)
    others = RunSettings(
        problems={"domain": "math", "path": "nowhere.jsonl"},
        prepare={
            "num_layers": 2, "hidden_size": 32, "intermediate_size": 24, "num_heads": 4,
            "batch_size": 3, "policies": named_policies(weak=4, base=5, strong=6),
            "learning_rate": 0.1, "warmup_steps": 9, "seed": 7,
        },
    )  # fmt: skip
    planned = set(PretrainWork.model_fields) - {"domain", "lessons", "kept_steps"}
    planned |= {"policies"}
    assert planned == others.prepare.model_fields_set
    made = contents(open_worker(settings, store, "cpu", silent)(unit))
    assert contents(open_worker(others, store, "cpu", silent)(unit)) == made


def test_how_often_states_are_saved_changes_neither_the_unit_nor_the_result(tmp_path):
    outcomes, ids = [], []
    for name, save_every in [("often", 3), ("never", 1000)]:
        prepare = TINY.model_copy(update={"save_every": save_every})
        settings, store, unit = prepared(tmp_path / name, prepare=prepare)
        outcomes.append(contents(open_worker(settings, store, "cpu", silent)(unit)))
        ids.append(unit.unit_id)
    assert ids[0] == ids[1]
    assert outcomes[0] == outcomes[1]


def test_test_problems_are_never_trained_on(tmp_path):
    results = []
    for name, extra in [("with", ["2 4 6 12", "1 1 4 6"]), ("without", ["3 5 7 13"])]:
        given = [*problems(), *problems(split="test", hands=extra)]
        settings, store, unit = prepared(tmp_path / name, given=given)
        outcome = contents(open_worker(settings, store, "cpu", silent)(unit))
        results.append(outcome["strong/model.safetensors"])
    assert results[0] == results[1]


def test_without_a_solvable_training_problem_the_message_says_what_to_do(tmp_path):
    settings, store, unit = prepared(tmp_path, given=problems(hands=["1 1 1 1"]))
    with pytest.raises(InputError, match="solved training problems, got none among 1"):
        open_worker(settings, store, "cpu", silent)(unit)


def test_no_data_of_the_training_holds_a_time(tmp_path):
    settings, store, unit = prepared(tmp_path)
    outcome = open_worker(settings, store, "cpu", silent)(unit)
    table = pl.read_parquet(contents(outcome)["training_runs.parquet"])
    assert table.columns == list(frame("training_runs", []).columns)
    assert {Path(output.name).parts[0] for output in outcome.outputs} == {
        "weak", "base", "strong", "training_runs.parquet",
    }  # fmt: skip
