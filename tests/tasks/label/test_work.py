from collections import Counter

import polars as pl
import pytest
import torch
from transformers import LlamaForCausalLM

from pav.models.policy.embedded import build_config, build_tokenizer
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


def quiet(message, done, total):
    """Progress nobody watches."""


def checkpoint(path, seed):
    """A random policy, small enough to decode in no time."""
    tokenizer = build_tokenizer()
    sizes = PrepareSettings(num_layers=1, hidden_size=32, intermediate_size=48, num_heads=2)
    torch.manual_seed(seed)
    LlamaForCausalLM(build_config(sizes, tokenizer)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with problems, solutions and labels, and what made them."""
    root = tmp_path_factory.mktemp("labelled")
    base, weak = checkpoint(root / "base", 0), checkpoint(root / "weak", 1)
    settings = RunSettings(
        problems=ProblemSettings(max_train=6, max_validation=2, max_test=2),
        prepare=PrepareSettings(policies=named_policies(base=base, weak=weak, strong=base)),
        sample=SampleSettings(num_train=3, num_validation=2, num_test=1, max_tokens=12,
                              num_shards=2, num_from_provers=1),
        label=LabelSettings(num_rollouts=4, num_prover_rollouts=2, block_size=2, prover_shards=1),
    )  # fmt: skip
    store = Store(str(root / "store"))

    def execute(stage, units):
        run = stage.open_worker(settings, store, "cpu", quiet)
        return [publish(store, unit, run(unit)) for unit in units]

    [hands] = execute(problems, [plan_problems(settings)])
    policies = resolve_policies(settings, store, None)
    sampled = execute(
        sampling,
        plan_sampling(
            settings, pipeline_seed=0, problems=read_problems(store, hands.unit.unit_id),
            problems_manifest=hands, policies=policies,
        ),
    )  # fmt: skip
    units = plan_labelling(settings, policies=policies, sample_manifests=sampled)
    return settings, store, sampled, execute(labelling, units)


@pytest.fixture(scope="module")
def tables(made):
    """Every data set of the store as one table."""
    _, store, sampled, labelled = made
    names = {"solutions": sampled, "prefixes": sampled, "solution_prefixes": sampled,
             "rollouts": labelled, "label_blocks": labelled}  # fmt: skip
    return {name: read_tables(store, manifests, name) for name, manifests in names.items()}


def test_every_policy_that_is_asked_gives_its_share_of_solutions(tables):
    by_policy = tables["solutions"].group_by("problem_id", "policy_id").len()
    assert sorted(by_policy["len"].to_list()) == [1, 1] + [1] * 6 + [2, 2] + [3] * 6


def test_a_solution_passes_through_all_its_prefixes(tables):
    joined = (
        tables["solution_prefixes"]
        .join(
            tables["solutions"].select("solution_id", "problem_id", "text", last="num_steps"),
            on="solution_id",
        )
        .join(
            with_steps(tables["prefixes"], tables["solutions"]).select(
                "prefix_id", "num_characters", prefix_text=pl.col("steps").list.join("")
            ),
            on="prefix_id",
        )
    )
    assert joined.height == (tables["solutions"]["num_steps"] + 1).sum()
    assert all(text.startswith(part) for text, part in joined.select("text", "prefix_text").rows())
    whole = joined.filter(pl.col("num_steps") == pl.col("last"))
    assert (whole["text"] == whole["prefix_text"]).all()
    assert (joined["num_characters"] == joined["prefix_text"].str.len_chars()).all()


def test_identical_prefixes_are_one_and_labelled_once_per_block(tables):
    assert tables["prefixes"]["prefix_id"].is_unique().all()
    keys = tables["label_blocks"].select("prefix_id", "policy_id", "block")
    assert keys.is_unique().all()


def test_every_open_prefix_gets_its_blocks_and_no_terminal_one_does(tables):
    still_open = set(tables["prefixes"].filter(~pl.col("is_terminal"))["prefix_id"])
    blocks = Counter(tables["label_blocks"]["prefix_id"])
    assert set(blocks) == still_open
    # Two blocks by the base everywhere; one more by the weak prover outside training shard 1.
    assert set(blocks.values()) == {2, 3}


def test_counts_are_those_of_the_raw_rollouts(tables):
    verdicts = tables["rollouts"].group_by("prefix_id", "policy_id", "block").agg(
        num_rollouts=pl.len().cast(pl.Int32),
        num_correct=(pl.col("verdict") == "correct").sum().cast(pl.Int32),
        num_truncated=(pl.col("verdict") == "truncated").sum().cast(pl.Int32),
        num_unparsed=(pl.col("verdict") == "unparsed").sum().cast(pl.Int32),
        generated_tokens=pl.col("num_tokens").sum().cast(pl.Int64),
    )  # fmt: skip
    columns = verdicts.columns
    blocks = tables["label_blocks"].select(columns)
    assert blocks.sort(columns[:3]).equals(verdicts.sort(columns[:3]))
    assert set(blocks["num_rollouts"]) == {2}


def unanswered(rows):
    """The tokens of what was cut off, not parsed or not graded."""
    return rows.filter(pl.col("verdict").is_in(["truncated", "unparsed", "failed"]))["num_tokens"]


def test_a_unit_of_labels_says_what_it_cost_and_for_what(made):
    _, store, _, labelled = made
    for manifest in labelled:
        blocks = read_tables(store, [manifest], "label_blocks")
        rollouts = read_tables(store, [manifest], "rollouts")
        cost = manifest.cost
        assert cost["labels"] == blocks.height
        assert cost["rollouts"] == rollouts.height
        assert cost["generated_tokens"] == rollouts["num_tokens"].sum()
        assert cost["wasted_tokens"] == unanswered(rollouts).sum() > 0
        assert cost["prompt_tokens"] > 0
        assert 0 < cost["engine_seconds"] + cost["grading_seconds"] < cost["seconds"]


def test_a_unit_of_samples_says_what_it_cost_and_for_what(made):
    _, store, sampled, _ = made
    for manifest in sampled:
        solutions = read_tables(store, [manifest], "solutions")
        cost = manifest.cost
        assert cost["solutions"] == solutions.height
        assert cost["generated_tokens"] == solutions["num_tokens"].sum()
        assert cost["wasted_tokens"] == unanswered(solutions).sum() > 0
        assert 0 < cost["engine_seconds"] + cost["grading_seconds"] < cost["seconds"]


def test_no_response_is_longer_than_the_limit(made, tables):
    settings = made[0]
    starts = tables["prefixes"].select("prefix_id", "problem_id", "num_tokens", "num_steps")
    prompts = starts.filter(num_steps=0).select("problem_id", prompt="num_tokens")
    rolled = tables["rollouts"].join(
        starts.join(prompts, on="problem_id").rename({"num_tokens": "given"}), on="prefix_id"
    )
    # Bytes that are no text come back as more tokens: such a prefix may be over the limit itself.
    rolled = rolled.with_columns(
        left=settings.sample.max_tokens - pl.col("given") + pl.col("prompt")
    )
    assert rolled.filter(pl.col("left") <= 0)["num_tokens"].sum() == 0
    room = rolled.filter(pl.col("left") > 0)
    assert (room["num_tokens"] <= room["left"]).all()
    assert (room["num_tokens"] == room["left"]).any()


def test_blocks_and_policies_draw_different_rollouts(tables):
    roots = tables["prefixes"].filter(num_steps=0).select("prefix_id")
    texts = tables["rollouts"].join(roots, on="prefix_id").with_columns(
        pl.col("steps").list.join("")
    ).sort("rollout").group_by("prefix_id", "policy_id", "block").agg("steps")  # fmt: skip
    assert len({tuple(each) for each in texts["steps"]}) > 0.9 * texts.height


def test_a_unit_made_again_is_the_same_to_the_byte(made):
    settings, store, sampled, labelled = made
    for stage, manifests in ((sampling, sampled), (labelling, labelled)):
        execute = stage.open_worker(settings, store, "cpu", quiet)
        for manifest in manifests[::3]:
            again = publish(Store(store.root + "-again"), manifest.unit, execute(manifest.unit))
            assert again.ref == manifest.ref


def test_a_unit_is_made_as_it_was_planned_whatever_the_settings_of_the_process(made):
    settings, store, sampled, labelled = made
    others = settings.model_copy(update={
        "sample": settings.sample.model_copy(update={"temperature": 3.0, "max_tokens": 3}),
        "label": settings.label.model_copy(update={"block_size": 7}),
    })  # fmt: skip
    for stage, manifests in ((sampling, sampled), (labelling, labelled)):
        execute = stage.open_worker(others, store, "cpu", quiet)
        again = publish(
            Store(store.root + "-others"), manifests[0].unit, execute(manifests[0].unit)
        )
        assert again.ref == manifests[0].ref
