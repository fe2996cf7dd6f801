"""The optimiser's loop on a network of one number a token, which has nothing to hide."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pav.models.verifiers.batches import EncodedSequence
from pav.models.verifiers.losses import soft_cross_entropy
from pav.models.verifiers.training import Trainer, TrainingPlan


class OneNumberAToken(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.logit = torch.nn.Embedding(8, 1)
        torch.nn.init.zeros_(self.logit.weight)

    def forward(self, input_ids, use_cache):
        return SimpleNamespace(logits=self.logit(input_ids))


def sequences(target, number=10):
    column = np.full((2, 1), target, dtype=np.float32)
    ones = np.ones_like(column)
    return [EncodedSequence((1 + row % 5, 6), (0, 1), column, ones) for row in range(number)]


def trainer(*, validated=1.0, seed=0, loss=soft_cross_entropy, **changes):
    plan = {
        "steps": 25, "batch_size": 4, "learning_rate": 0.1, "warmup_steps": 0, "weight_decay": 0.0,
        "eval_every": 10, "patience": 9, "balance": False, "rephrase": 0.0, "seed": seed,
    }  # fmt: skip
    training = [*sequences(1.0), *sequences(0.0, 3)]
    return Trainer(
        OneNumberAToken(), training, sequences(validated),
        plan=TrainingPlan(**(plan | changes)), pad_id=0, loss=loss,
    )  # fmt: skip


def test_a_training_looks_after_every_so_many_steps_and_at_its_end():
    told: list[int] = []
    saved: list[bytes] = []
    state = trainer().run(save=saved.append, progress=lambda step, loss: told.append(step))
    assert state.step == 25
    assert [look.step for look in state.looks] == [10, 20, 25]
    assert told == [10, 20]
    assert len(saved) == 3


def test_a_network_that_says_one_half_of_everything_loses_log_two():
    state = trainer(learning_rate=0.0).run()
    for look in state.looks:
        assert look.validation_loss == pytest.approx(math.log(2))
    # Batches of four, or three at times, of thirteen: weighed so that their mean is the loss.
    assert state.looks[0].train_loss == pytest.approx(math.log(2), rel=0.1)


def test_the_loss_is_the_one_that_is_given():
    def cubed_error(outputs, targets, weights, /, *, normaliser):
        return (weights * (targets - outputs).abs() ** 3).sum() / normaliser

    still = trainer(learning_rate=0.0, validated=0.5, loss=cubed_error).run()
    assert [look.validation_loss for look in still.looks] == pytest.approx([0.125] * 3)
    # Outputs that are fitted as chances stay near targets; log-odds would go on beyond 1.
    fitted = trainer(loss=cubed_error, steps=100).run()
    assert 0 < fitted.looks[-1].train_loss < still.looks[-1].train_loss


def test_a_training_that_no_longer_helps_ends_after_its_patience_with_the_best_weights():
    # What trains it says one, what stops it says zero: each look is worse than the one before.
    each = trainer(validated=0.0, steps=100, patience=2)
    state = each.run()
    assert [look.step for look in state.looks] == [10, 20, 30]
    assert state.best_step == 10
    assert each._validate() == pytest.approx(state.looks[0].validation_loss)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_training_goes_on_from_any_saved_state_as_if_nothing_had_happened(kept):
    saved: list[bytes] = []
    whole = trainer()
    expected = whole.run(save=saved.append)
    again = trainer()
    again.restore(saved[kept])
    found = again.run()
    assert found.looks == expected.looks
    assert all(torch.equal(found.best[name], expected.best[name]) for name in expected.best)
    other = trainer(seed=1).run()
    assert other.looks[-1] != expected.looks[-1]
