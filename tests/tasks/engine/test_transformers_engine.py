from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from pav.models.errors import EngineError, InputError
from pav.models.hashing import uniforms
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.records import Generated, Generation
from pav.models.settings import PrepareSettings
from pav.tasks.engine.prefill import prefill
from pav.tasks.engine.transformers_engine import EngineSampling, TransformersEngine


@pytest.fixture(scope="module", params=[4, 2], ids=["one key head per head", "grouped heads"])
def folder(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer policy; large weights make its choices lively."""
    tokenizer = build_tokenizer()
    sizes = PrepareSettings(num_layers=2, hidden_size=32, intermediate_size=48, num_heads=4)
    config = build_config(sizes, tokenizer)
    config.num_key_value_heads = request.param
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3.0)
    path = tmp_path_factory.mktemp("policy")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def engine(folder: Path, **sampling) -> TransformersEngine:
    return TransformersEngine(folder, EngineSampling(**sampling), device="cpu", dtype="float32")


def drain(
    engine: TransformersEngine, generations: list[Generation]
) -> dict[tuple[int, int], Generated]:
    engine.submit(generations)
    wanted = sum(each.num_samples for each in generations)
    done: dict[tuple[int, int], Generated] = {}
    for _ in range(10_000):
        done |= {(each.request_id, each.sample): each for each in engine.poll()}
        if len(done) == wanted:
            return done
    raise AssertionError(f"{len(done)} of {wanted} samples came back")


def naive(
    engine: TransformersEngine, generation: Generation, sample: int
) -> tuple[list[int], str, float]:
    """Decode one sample by running the whole sequence anew for every token."""
    ids, log_prob = list(generation.token_ids), 0.0
    new: list[int] = []
    eos = engine.model.config.eos_token_id
    for position in range(generation.max_tokens):
        with torch.inference_mode():
            logits = engine.model(torch.tensor([ids])).logits[0, -1].double()
        number = uniforms(
            np.array([generation.stream], np.uint64),
            np.array([sample], np.uint64),
            np.array([position], np.uint64),
        )[0]
        probabilities = torch.softmax(logits / engine.sampling.temperature, -1)
        share = probabilities.cumsum(-1)
        token = int((share < number * share[-1]).sum())
        log_prob += float(probabilities[token].log())
        if token == eos:
            return new, "stop", log_prob
        ids.append(token)
        new.append(token)
        if generation.until_step and token == NEWLINE:
            return new, "step", log_prob
    return new, "length", log_prob


NEWLINE = build_tokenizer().encode("\n")[0]


def requests(num: int, *, until_step: bool = False) -> list[Generation]:
    """Requests whose prefixes begin one another, repeat and differ in length."""
    generator = np.random.default_rng(0)
    base = [int(token) for token in generator.integers(2, 400, 24)]
    return [
        Generation(i, tuple(base[: 3 + 5 * (i % 5)]), 1 + i % 3, 12, 1000 + i, until_step)
        for i in range(num)
    ]


@pytest.mark.parametrize("until_step", [False, True])
def test_samples_equal_decoding_each_alone_without_a_cache(folder, until_step):
    decoder = engine(folder, batch_size=8)
    generations = requests(10, until_step=until_step)
    done = drain(decoder, generations)
    for generation in generations:
        for sample in range(generation.num_samples):
            tokens, finish, log_prob = naive(decoder, generation, sample)
            got = done[generation.request_id, sample]
            assert (list(got.token_ids), got.finish) == (tokens, finish)
            assert got.log_prob == pytest.approx(log_prob, rel=1e-4)


def test_what_is_sampled_does_not_depend_on_what_else_is_in_the_batch(folder):
    generations = requests(12)
    together = drain(engine(folder, batch_size=16), generations)
    narrow = drain(engine(folder, batch_size=3), generations[::-1])
    assert together == narrow


def test_more_samples_keep_the_first_ones(folder):
    few = Generation(0, (5, 6, 7), 2, 10, 77)
    many = Generation(0, (5, 6, 7), 9, 10, 77)
    first = drain(engine(folder, batch_size=4), [few])
    all_nine = drain(engine(folder, batch_size=4), [many])
    assert {key: all_nine[key] for key in first} == first
    assert len({each.token_ids for each in all_nine.values()}) > 1


def test_a_prefix_of_another_prefix_costs_no_pass_of_its_own(folder):
    decoder = engine(folder)
    rows = []
    hook = decoder.model.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: rows.append(tuple(inputs[0].shape))
    )
    with torch.inference_mode():
        starts = prefill(decoder.model, [(5, 6), (5, 6, 7, 8), (5, 9), (5, 6)], max_tokens=64)
    hook.remove()
    assert set(starts) == {(5, 6), (5, 6, 7, 8), (5, 9)}
    # Two leaves, in a pass of the smallest size.
    assert rows == [(8, 8)]


def test_free_rows_are_taken_at_once_while_samples_wait(folder):
    decoder = engine(folder, batch_size=4)
    decoder.ends_text[:] = False
    passes = []
    hook = decoder.model.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: passes.append(inputs[0].shape[1])
    )
    limits = [2 + i % 7 for i in range(40)]
    drain(decoder, [Generation(i, (5, 6, 7), 1, limit, i) for i, limit in enumerate(limits)])
    hook.remove()
    # The prefill gives each sample its first token; a row gives one token in each pass.
    decoded = sum(limits) - len(limits)
    assert passes.count(1) <= decoded / 4 + max(limits)


def test_a_pass_ends_where_a_longer_prefix_would_pad_many(folder):
    decoder = engine(folder)
    rows = []
    hook = decoder.model.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: rows.append(tuple(inputs[0].shape))
    )
    short = [(token, 6) for token in range(2, 34)]
    with torch.inference_mode():
        prefill(decoder.model, [*short, (5,) * 40], max_tokens=16_384)
    hook.remove()
    assert rows == [(32, 8), (8, 40)]


def test_token_frequencies_follow_the_policy(folder):
    decoder = engine(folder, batch_size=512)
    count = 4000
    done = drain(decoder, [Generation(0, (5, 6, 7), count, 1, 99)])
    with torch.inference_mode():
        expected = torch.softmax(decoder.model(torch.tensor([[5, 6, 7]])).logits[0, -1], -1).numpy()
    eos = decoder.model.config.eos_token_id
    drawn = [each.token_ids[0] if each.token_ids else eos for each in done.values()]
    observed = np.bincount(drawn, minlength=len(expected)) / count
    error = np.sqrt(expected * (1 - expected) / count)
    assert np.all(np.abs(observed - expected) < 5 * error + 2 / count)


def test_the_nucleus_leaves_out_the_unlikely(folder):
    decoder = engine(folder, batch_size=512, top_p=0.3)
    done = drain(decoder, [Generation(0, (5, 6, 7), 500, 1, 99)])
    with torch.inference_mode():
        shares = torch.softmax(decoder.model(torch.tensor([[5, 6, 7]])).logits[0, -1], -1)
    ordered, order = shares.sort(descending=True)
    size = int((ordered.cumsum(-1) - ordered < 0.3).sum())
    eos = decoder.model.config.eos_token_id
    drawn = {each.token_ids[0] if each.token_ids else eos for each in done.values()}
    assert drawn <= set(order[:size].tolist())


def test_a_prefix_longer_than_the_context_is_refused(folder):
    decoder = engine(folder)
    with pytest.raises(InputError, match=r"context of 256, got 256"):
        decoder.submit([Generation(0, (5,) * 256, 1, 4, 1)])


def test_a_response_ends_where_the_context_does(folder):
    done = drain(engine(folder), [Generation(0, (5,) * 250, 3, 64, 1)])
    assert all(len(each.token_ids) <= 6 for each in done.values())


def test_cancelled_requests_never_come_back_and_the_others_do(folder):
    decoder = engine(folder, batch_size=4)
    decoder.submit(requests(8))
    decoder.poll()
    decoder.cancel([0, 3, 7])
    seen: set[int] = set()
    for _ in range(500):
        seen |= {each.request_id for each in decoder.poll()}
    assert seen <= {1, 2, 4, 5, 6}
    assert {5, 6} <= seen


def test_weights_change_only_with_nothing_in_flight(folder):
    decoder = engine(folder)
    decoder.submit(requests(1))
    with pytest.raises(EngineError, match="nothing in flight"):
        decoder.load_weights(folder)
    while not decoder.poll():
        pass
    decoder.load_weights(folder)
    assert decoder.version == 2


@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.7}, {"temperature": 1.5, "top_p": 0.8}])
def test_what_was_sampled_is_as_likely_when_it_is_asked_for(folder, sampling):
    here = engine(folder, **sampling, prefill_tokens=128)
    prompts = {each.request_id: each.token_ids for each in requests(10)}
    # An end of text counts for a sample and is no token of it.
    done = [each for each in drain(here, requests(10)).values() if each.finish == "length"]
    assert len(done) > 8
    sequences = [((*prompts[each.request_id], *each.token_ids), len(prompts[each.request_id]))
                 for each in done]  # fmt: skip
    # Twice and in another order: each has its own answer whatever it is asked with.
    found = here.log_probs(sequences + sequences[::-1])
    expected = [each.log_prob for each in done]
    assert found == pytest.approx(expected + expected[::-1], rel=1e-4)


def test_outside_the_nucleus_nothing_is_likely_and_within_it_everything_sums_to_one(folder):
    here = engine(folder, top_p=0.4)
    [start] = [each.token_ids for each in requests(1)]
    size = here.model.config.vocab_size
    chances = np.exp(here.log_probs([((*start, token), len(start)) for token in range(size)]))
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    assert (chances == 0).mean() > 0.5


def test_a_sequence_longer_than_the_context_has_no_log_probability(folder):
    here = engine(folder)
    with pytest.raises(InputError, match="the policy's context"):
        here.log_probs([((1,) * (here.context + 1), 1)])
