"""One optimiser for every loss: its steps, its rate, and its going on from a saved state."""

import io
import math
from typing import Any

import pytest
import torch

from pav.models.policy.optimiser import Optimiser, Schedule

PLAIN: dict[str, Any] = {
    "steps": 10, "warmup_steps": 0, "learning_rate": 0.1, "betas": (0.9, 0.99),
    "weight_decay": 0.0, "clip_norm": 1.0,
}  # fmt: skip


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))


def optimiser(model, **changes):
    return Optimiser(model, Schedule(**(PLAIN | changes)))


def rows(number, *, seed=0):
    return torch.randn(number, 3, generator=torch.Generator().manual_seed(seed))


def squares(model):
    """The loss of a batch's part: sums, so that the losses of parts add up to the batch's."""
    return lambda part: (model(part) - 1).square().sum() / 100


def weights(model):
    return torch.cat([each.detach().flatten() for each in model.parameters()])


def test_a_batch_in_parts_is_one_step_on_the_whole_batch():
    whole, cut = network(), network()
    loss = optimiser(whole).advance([rows(8)], squares(whole))
    steps = optimiser(cut)
    assert steps.advance(rows(8).split(3), squares(cut)).item() == pytest.approx(loss.item())
    assert steps.step == 1
    torch.testing.assert_close(weights(cut), weights(whole))
    assert not torch.equal(weights(cut), weights(network()))


def test_the_rate_warms_up_and_falls_along_a_cosine_until_all_steps_are_taken():
    model = network()
    steps = optimiser(model, warmup_steps=2, steps=6)
    rates = []
    while not steps.is_done:
        steps.advance([rows(2)], squares(model))
        rates.append(steps.learning_rate)
    falling = [0.05 * (1 + math.cos(math.pi * share)) for share in (0, 0.25, 0.5, 0.75)]
    assert rates == pytest.approx([0.1 / 3, 0.2 / 3, *falling])


def first_step(gradient, **changes):
    """How far a first step moves a weight of 1 whose loss has a gradient."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(model.weight)
    optimiser(model, **changes).advance([gradient], lambda each: (each * model.weight).sum())
    assert model.weight.grad is not None
    return 1 - model.weight.item(), model.weight.grad.item()


def test_a_gradient_is_clipped_to_its_norm_and_weights_decay_with_the_rate():
    moved, clipped = first_step(50.0, clip_norm=2.0)
    assert (moved, clipped) == (pytest.approx(0.1), pytest.approx(2.0))
    assert first_step(0.5, clip_norm=2.0)[1] == 0.5
    # AdamW takes the share rate * decay of the weight itself, besides the step.
    assert first_step(0.5, weight_decay=0.5)[0] == pytest.approx(0.1 + 0.1 * 0.5)


def test_a_model_that_was_only_looked_at_is_trained_again():
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(3, 1))
    model.eval()
    optimiser(model).advance([rows(2)], squares(model))
    assert model.training


def moments(steps):
    """What AdamW remembers of every gradient, as one vector."""
    state = torch.load(io.BytesIO(steps.state({})), weights_only=True)["optimizer"]["state"]
    return torch.cat([value.flatten() for each in state.values() for value in each.values()])


@pytest.mark.parametrize("kept", [1, 4])
def test_a_training_goes_on_from_its_state_bit_for_bit_with_what_its_owner_added(kept):
    model = network()
    steps = optimiser(model)
    while not steps.is_done:
        steps.advance([rows(4, seed=steps.step)], squares(model))
        if steps.step == kept:
            state = steps.state({"looks": [{"step": kept}], "best": torch.ones(2)})
    torch.manual_seed(9)
    again = network()
    torch.nn.init.ones_(again[0].weight)
    resumed = optimiser(again)
    owner = resumed.load_state(state)
    assert owner["looks"] == [{"step": kept}]
    assert owner["best"].tolist() == [1, 1]
    assert resumed.step == kept
    while not resumed.is_done:
        resumed.advance([rows(4, seed=resumed.step)], squares(again))
    assert torch.equal(weights(again), weights(model))
    assert torch.equal(moments(resumed), moments(steps))
