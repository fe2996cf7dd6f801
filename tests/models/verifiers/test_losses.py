import math

import pytest
import torch

from pav.models.verifiers.losses import soft_cross_entropy


def test_the_loss_is_the_weighted_soft_label_cross_entropy():
    logits = torch.tensor([[0.0], [math.log(3.0)]])
    targets, weights = torch.tensor([[0.25], [1.0]]), torch.tensor([[2.0], [1.0]])
    # p = 1/2 and 3/4: 2 log 2 + log(4/3).
    expected = (2 * math.log(2) + math.log(4 / 3)) / 3
    found = soft_cross_entropy(logits, targets, weights, normaliser=3.0)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_gradient_is_weight_times_probability_minus_target():
    logits = torch.tensor([[0.3], [-1.2]], requires_grad=True)
    targets, weights = torch.tensor([[0.25], [1.0]]), torch.tensor([[2.0], [0.0]])
    soft_cross_entropy(logits, targets, weights, normaliser=4.0).backward()
    expected = weights * (torch.sigmoid(logits.detach()) - targets) / 4
    assert logits.grad is not None
    assert torch.allclose(logits.grad, expected)


def test_the_least_loss_is_at_the_target():
    grid = torch.linspace(-4, 4, 801)
    losses = [
        float(soft_cross_entropy(x[None, None], torch.tensor([[0.8]]), torch.ones(1, 1),
                                 normaliser=1.0))
        for x in grid
    ]  # fmt: skip
    best = float(torch.sigmoid(grid[losses.index(min(losses))]))
    assert best == pytest.approx(0.8, abs=2e-3)
