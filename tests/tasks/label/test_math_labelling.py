"""The stages that sample and label, on questions in words: by line, and without a delimiter."""

import json
from collections import Counter

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from pav.models.domains import domain_of
from pav.models.policy.embedded import build_config
from pav.models.records import Verdict
from pav.models.settings import (
    LabelSettings,
    PrepareSettings,
    ProblemSettings,
    RunSettings,
    SampleSettings,
)
from pav.tasks.label import work as labelling
from pav.tasks.label.plan import plan_labelling
from pav.tasks.prepare.policies import resolve_policies
from pav.tasks.problems import work as problems
from pav.tasks.problems.plan import plan_problems
from pav.tasks.problems.published import read_problems
from pav.tasks.sample import work as sampling
from pav.tasks.sample.plan import plan_sampling
from pav.tasks.store.manifests import publish, read_tables
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.store.store import Store
from tests.policies import named_policies

# So few that a random policy marks a right answer, a wrong one, two, or none, all often.
TOKENS = ("<pad>", "<eos>", "x", "7", "\u0120", "\u010a", "#", "1", "2")
ANSWERS = ("#### 1", "#### 2")
QUESTIONS = ({"question": "x7", "answer": "1"}, {"question": "77", "answer": "x\n#### 2"})


def quiet(message, done, total):
    """Progress nobody watches."""


def checkpoint(path):
    """A random policy over a handful of tokens."""
    inner = Tokenizer(models.BPE({token: index for index, token in enumerate(TOKENS)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<eos>", pad_token="<pad>", bos_token="<eos>"
    )
    tokenizer.add_tokens(list(ANSWERS))
    sizes = PrepareSettings(num_layers=1, hidden_size=32, intermediate_size=48, num_heads=2)
    torch.manual_seed(0)
    LlamaForCausalLM(build_config(sizes, tokenizer)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module", params=["line", "words"])
def made(request, tmp_path_factory):
    """The settings, and every data set of a labelled store as one table."""
    root = tmp_path_factory.mktemp(request.param)
    rows = [{**row, "split": "train"} for row in QUESTIONS]
    (root / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    base = checkpoint(root / "base")
    settings = RunSettings(
        problems=ProblemSettings(domain="math", path=str(root / "p.jsonl"),
                                 segmenter=request.param, step_words=1),
        prepare=PrepareSettings(policies=named_policies(base=base, weak=base, strong=base)),
        sample=SampleSettings(num_train=40, max_tokens=8, num_shards=1),
        label=LabelSettings(num_rollouts=4, block_size=4, max_unparsed=1),
    )  # fmt: skip
    store = Store(str(root / "store"))

    def execute(stage, units):
        run = stage.open_worker(settings, store, "cpu", quiet)
        return [publish(store, unit, run(unit)) for unit in units]

    [asked] = execute(problems, [plan_problems(settings)])
    policies = resolve_policies(settings, store, None)
    sampled = execute(sampling, plan_sampling(
        settings, pipeline_seed=0, problems=read_problems(store, asked.unit.unit_id),
        problems_manifest=asked, policies=policies,
    ))  # fmt: skip
    labelled = execute(
        labelling, plan_labelling(settings, policies=policies, sample_manifests=sampled)
    )
    names = {"solutions": sampled, "prefixes": sampled, "rollouts": labelled,
             "label_blocks": labelled}  # fmt: skip
    return settings, {name: read_tables(store, each, name) for name, each in names.items()}


def test_solutions_are_cut_and_graded_by_the_domain(made):
    settings, tables = made
    solutions = tables["solutions"].to_dicts()
    assert all("".join(row["steps"]) == row["text"] for row in solutions)
    assert max(row["num_steps"] for row in solutions) > 1
    verdicts = Counter(row["verdict"] for row in solutions)
    assert set(verdicts) == {
        Verdict.CORRECT, Verdict.WRONG, Verdict.UNPARSED, Verdict.TRUNCATED,
    }  # fmt: skip
    if settings.problems.segmenter == "words":
        family = domain_of(settings)
        assert all(family.split_steps(row["text"]) == tuple(row["steps"]) for row in solutions)


def test_prefixes_that_end_within_a_step_are_terminal_and_the_others_labelled(made):
    settings, tables = made
    family = domain_of(settings)
    prefixes = with_steps(tables["prefixes"], tables["solutions"])
    for row in prefixes.filter("is_terminal").to_dicts():
        is_cut_off = row["verdict"] == "truncated"
        assert not is_cut_off or not family.ends_step(row["steps"][-1])
    still_open = set(tables["prefixes"].filter(~tables["prefixes"]["is_terminal"])["prefix_id"])
    assert set(tables["label_blocks"]["prefix_id"]) == still_open
    assert tables["label_blocks"]["num_correct"].sum() > 0
    assert tables["label_blocks"]["num_failed"].sum() == 0
