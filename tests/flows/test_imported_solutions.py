"""sample.path: solutions of a file are labelled as they are, by rollouts of a random policy."""

import importlib
import json

import polars as pl
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from pav.flows.plan import Plan
from pav.models.errors import InputError
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.prefixes import imported_solution_id, prefix_id
from pav.models.records import Prefix
from pav.models.settings import (
    LabelSettings,
    PrepareSettings,
    ProblemSettings,
    RunSettings,
    SampleSettings,
)
from pav.tasks.database.queries import ask, check_store
from pav.tasks.problems.plan import plan_problems
from pav.tasks.store.manifests import publish, read_tables
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from tests.policies import named_policies

RIGHT = "13 - 9 = 4 left 4 4 10\n10 - 4 = 6 left 4 6\n6 * 4 = 24 left 24"
WRONG = "13 - 9 = 4 left 4 4 10\n4 * 10 = 40 left 4 40\n40 - 4 = 24 left 24"
HAND = {"question": "4 9 10 13", "answer": "24", "split": "train"}
OTHER = {"question": "6 6 6 6", "answer": "24", "split": "train"}
HANDS = [
    HAND | {"response": RIGHT},
    HAND | {"response": WRONG, "policy": "some model"},
    HAND | {"response": RIGHT},
    OTHER | {"response": "6 + 6 = 12 left 6 6 12\n6 + 1", "finish_reason": "length"},
]
WORDS = [
    {"question": "x7", "answer": "1", "response": "x\n7x\n#### 1", "split": "train"},
    {"question": "77", "answer": "x\n#### 2", "response": "x7\n#### 1", "split": "train"},
]


def quiet(message, done, total):
    """Progress nobody watches."""


def saved(path, tokenizer):
    sizes = PrepareSettings(num_layers=1, hidden_size=32, intermediate_size=48, num_heads=2)
    torch.manual_seed(0)
    LlamaForCausalLM(build_config(sizes, tokenizer)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def hand_policy(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("hands") / "base", build_tokenizer())


@pytest.fixture(scope="module")
def word_policy(tmp_path_factory):
    tokens = ("<pad>", "<eos>", "x", "7", "\u0120", "\u010a", "#", "1", "2")
    inner = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<eos>", pad_token="<pad>", bos_token="<eos>"
    )
    return saved(tmp_path_factory.mktemp("words") / "base", tokenizer)


def written(folder, rows, name="solutions.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def settings_of(base, path, problems=None, **sample):
    return RunSettings(
        problems=problems or ProblemSettings(),
        prepare=PrepareSettings(policies=named_policies(base=base, weak=base, strong=base)),
        sample=SampleSettings(path=path, **{"max_tokens": 40, "num_shards": 8} | sample),
        # An untrained policy of words hardly ever ends in an answer.
        label=LabelSettings(num_rollouts=2, block_size=2, max_unparsed=1),
    )


def carried_out(settings, store, last="label"):
    """Do every part up to one as its stage's worker does; return the plan."""
    plan = Plan(settings, store)
    for name in ("problems", "pretrain", "sample", "label"):
        for unit in plan.part(name).todo:
            module = importlib.import_module(UNIT_STAGES[unit.stage].work)
            publish(store, unit, module.open_worker(settings, store, "cpu", quiet)(unit))
        plan.part(name)
        if name == last:
            break
    return plan


def table(plan, part, name):
    return read_tables(plan.store, plan.finished(part), name)


@pytest.fixture(scope="module")
def labelled(hand_policy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    settings = settings_of(hand_policy, written(folder, HANDS))
    return carried_out(settings, Store(str(folder / "store")))


def test_solutions_of_a_file_are_graded_and_equal_ones_are_one(labelled):
    solutions = table(labelled, "sample", "solutions").sort("text", "policy_id")
    assert solutions.select("text", "verdict", "policy_id", "finish_reason").rows() == [
        (RIGHT, "correct", "imported:plain", "stop"),
        (WRONG, "wrong", "some model", "stop"),
        (HANDS[3]["response"], "truncated", "imported:plain", "length"),
    ]
    steps = [f"{line}\n" for line in RIGHT.split("\n")[:2]] + ["6 * 4 = 24 left 24"]
    assert solutions["steps"][0].to_list() == steps
    assert solutions["num_tokens"].min() > 0


def test_they_have_the_ids_that_any_unit_gives_their_content(labelled):
    solutions = table(labelled, "sample", "solutions").filter(pl.col("text") == RIGHT)
    [name], [problem_id] = solutions["solution_id"], solutions["problem_id"]
    response = Prefix(problem_id, tuple(solutions["steps"][0]), is_finished=True)
    assert name == imported_solution_id(response, "imported:plain", repeat=0)
    assert prefix_id(response) in table(labelled, "sample", "prefixes")["prefix_id"]


def test_every_open_prefix_of_them_is_labelled_by_the_base(labelled):
    prefixes = table(labelled, "sample", "prefixes")
    # The bare hands, one shared first step, two second steps; of the one cut off its first step.
    assert prefixes.filter(~pl.col("is_terminal")).height == 6
    blocks = table(labelled, "label", "label_blocks")
    assert set(blocks["prefix_id"]) == set(prefixes.filter(~pl.col("is_terminal"))["prefix_id"])
    assert set(blocks["num_rollouts"]) == {2}


def test_another_row_makes_one_sampling_unit_anew_and_no_problem(labelled, hand_policy, tmp_path):
    more = [*HANDS, HAND | {"response": "9 + 10 = 19 left 4 13 19\n"}]
    settings = settings_of(hand_policy, written(tmp_path, more))
    plan = Plan(settings, labelled.store)
    assert plan.part("problems").todo == []
    before = {unit.unit_id for unit in labelled.parts["sample"].units}
    after = {unit.unit_id for unit in plan.part("sample").units}
    # Two hands in two shards: one of them is as it was.
    assert (len(before), len(after), len(before & after)) == (2, 2, 1)


def test_the_order_and_the_name_of_the_file_change_no_sampling_unit(
    labelled, hand_policy, tmp_path
):
    settings = settings_of(hand_policy, written(tmp_path, HANDS[::-1][:3]))
    store = labelled.store
    plan = carried_out(settings, store, last="problems")
    assert {unit.unit_id for unit in plan.part("sample").units} == {
        unit.unit_id for unit in labelled.parts["sample"].units
    }


def test_a_file_that_changes_after_planning_is_refused(hand_policy, tmp_path):
    path = written(tmp_path, HANDS)
    settings = settings_of(hand_policy, path)
    plan = carried_out(settings, Store(str(tmp_path / "store")), last="problems")
    unit = plan.part("sample").todo[0]
    written(tmp_path, [HAND | {"response": "1"}, OTHER | {"response": "2"}])
    worker = importlib.import_module(UNIT_STAGES["sample"].work)
    with pytest.raises(InputError, match="the file changed since the run was planned"):
        worker.open_worker(settings, plan.store, "cpu", quiet)(unit)


def test_solutions_in_words_are_cut_and_labelled_too(word_policy, tmp_path):
    settings = settings_of(
        word_policy, written(tmp_path, WORDS), ProblemSettings(domain="math"), num_shards=1
    )
    plan = carried_out(settings, Store(str(tmp_path / "store")))
    solutions = table(plan, "sample", "solutions").sort("text")
    assert [row.to_list() for row in solutions["steps"]] == [
        ["x\n", "7x\n", "#### 1"], ["x7\n", "#### 1"],
    ]  # fmt: skip
    assert solutions["verdict"].to_list() == ["correct", "wrong"]
    # Two bare problems, and the first steps of each: two and one.
    assert table(plan, "label", "label_blocks").height == 5


def test_answers_can_come_from_problems_path(word_policy, tmp_path):
    unanswered = [{key: row[key] for key in ("question", "response")} for row in WORDS]
    asked = [{key: row[key] for key in ("question", "answer", "split")} for row in WORDS]
    problems = ProblemSettings(domain="math", path=written(tmp_path, asked, "problems.jsonl"))
    settings = settings_of(word_policy, written(tmp_path, unanswered), problems)
    plan = carried_out(settings, Store(str(tmp_path / "store")), last="sample")
    verdicts = table(plan, "sample", "solutions").sort("text")["verdict"].to_list()
    assert verdicts == ["correct", "wrong"]


def refused(settings):
    with pytest.raises(InputError) as error:
        plan_problems(settings)
    return str(error.value)


def test_problems_without_an_answer_are_refused_in_one_message(tmp_path):
    rows = [WORDS[0], *({"question": "?", "response": str(number)} for number in range(3))]
    settings = settings_of("", written(tmp_path, rows), ProblemSettings(domain="math"))
    message = refused(settings)
    assert "3 solutions of problems without an answer" in message
    assert "(lines 2, 3, 4)" in message


def test_questions_and_answers_must_be_those_of_problems_path(tmp_path):
    asked = [{"question": "x7", "answer": "1"}]
    problems = ProblemSettings(domain="math", path=written(tmp_path, asked, "problems.jsonl"))
    rows = [WORDS[1], WORDS[0] | {"answer": "2"}]
    message = refused(settings_of("", written(tmp_path, rows), problems))
    assert "2 bad rows" in message
    assert "line 1: question: not in problems.path" in message
    assert "line 2: answer: '1' in" in message


def test_answers_by_a_vote_do_not_label(tmp_path):
    rows = [WORDS[0] | {"answer_source": "vote"}]
    settings = settings_of("", written(tmp_path, rows), ProblemSettings(domain="math"))
    assert "line 1: answer_source: 'vote' may not label" in refused(settings)


def test_a_missing_file_of_solutions_is_said(tmp_path):
    assert "sample.path: cannot read" in refused(settings_of("", str(tmp_path / "none.jsonl")))


def test_the_database_of_labelled_imported_solutions_is_whole(labelled):
    from pav.tasks.database.runs import publish_run

    names = ("problems", "pretrain", "sample", "label")
    publish_run(labelled.store, labelled.finished_run(names))
    assert check_store(labelled.store) == []
    [row] = ask(labelled.store, "select count(*) as num from labels").to_dicts()
    assert row["num"] == 6
