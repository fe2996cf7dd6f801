"""The embedded policy's loss, its checkpoints and its going on, on a corpus of four exercises."""

import pytest
import torch

from pav.models.policy.corpus import Corpus, pad_pairs
from pav.models.policy.embedded import build_tokenizer
from pav.models.policy.training import PolicyPlan, Training, response_loss

TOKENIZER = build_tokenizer()
PLAN = PolicyPlan(
    num_layers=1, hidden_size=16, intermediate_size=16, num_heads=2, batch_size=8, steps=60,
    kept_steps=frozenset({10, 60}), learning_rate=2e-3, warmup_steps=2, seed=0,
)  # fmt: skip
TEXTS = {
    "6 6 6 6 -> 24\n": ["6 + 6 = 12 left 6 6 12\n", "6 * 6 = 36 left 6 6 36\n6 + 6 = 12\n"],
    "3 3 8 8 -> 24\n": ["8 / 3 = 8/3 left 3 8 8/3\n"],
}


def ids(text):
    return tuple(TOKENIZER.encode(text))


def corpus():
    """Each prompt with all its responses, as a group of its own."""
    responses = [(*ids(text), TOKENIZER.eos_token_id) for each in TEXTS.values() for text in each]
    nums = torch.tensor([len(each) for each in TEXTS.values()])
    prompts = [ids(text) for text in TEXTS]
    groups = torch.arange(len(prompts))
    return Corpus(prompts, groups, responses, nums.cumsum(0) - nums, nums, TOKENIZER.pad_token_id)


def trained(*, from_state=None, saved=None):
    training = Training(PLAN, TOKENIZER, device="cpu")
    if from_state is not None:
        training.load_state(from_state)
    told = []
    training.run(
        corpus(), corpus(), save_every=15, progress=lambda step, loss: told.append(step),
        save=lambda state: saved.append(state) if saved is not None else None,
    )  # fmt: skip
    return training, told


def test_the_loss_is_the_mean_over_response_tokens_and_padding_changes_nothing():
    given = corpus()
    model = Training(PLAN, TOKENIZER, device="cpu").model
    pairs = [(given.prompts[0], given.responses[0]), (given.prompts[1], given.responses[-1])]
    assert len({len(prompt) + len(response) for prompt, response in pairs}) == 2
    total, count = 0.0, 0
    for prompt, response in pairs:
        whole = prompt + response
        logits = model(input_ids=torch.tensor([whole])).logits[0].double()
        for position in range(len(prompt), len(whole)):
            total -= logits[position - 1].log_softmax(-1)[whole[position]].item()
            count += 1
    batch = pad_pairs(pairs, given.pad)
    loss = response_loss(model, batch, number_type=torch.float32).item()
    assert loss == pytest.approx(total / count, rel=1e-5)


def test_a_checkpoint_is_the_mean_of_the_weights_since_the_warm_up():
    training = Training(PLAN, TOKENIZER, device="cpu")
    seen = []
    for _ in range(10):
        training.advance(corpus(), None)
        seen.append(training.model.model.norm.weight.detach().clone())
    expected = torch.stack(seen[PLAN.warmup_steps - 1 :]).mean(0)
    kept = training.kept[10]["model.norm.weight"]
    torch.testing.assert_close(kept, expected, rtol=1e-6, atol=1e-7)
    assert torch.equal(training.kept_model(10).model.norm.weight, kept)


def test_a_training_logs_saves_and_tells_at_its_steps_and_goes_on_from_any_state():
    saved: list[bytes] = []
    whole, told = trained(saved=saved)
    assert told == [10, 20, 30, 40, 50, 60]
    assert [row["step"] for row in whole.rows] == [50, 60]
    assert set(whole.kept) == {10, 60}
    # The end of a training needs no state: after 15, 30 and 45 steps there is one.
    assert len(saved) == 3
    weights = dict(whole.model.state_dict())
    for number, state in enumerate(saved, start=1):
        again, told_again = trained(from_state=state)
        assert told_again == [step for step in told if step > 15 * number]
        assert again.rows == whole.rows
        torch.testing.assert_close(again.kept, whole.kept, rtol=0, atol=0)
        torch.testing.assert_close(dict(again.model.state_dict()), weights, rtol=0, atol=0)
