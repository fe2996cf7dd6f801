"""Under every planner the loss of a verifier is least at the true value."""

import numpy as np
import pytest

from pav.models.verifiers.data import target_sequences, value_sequences
from tests.models.planners import known_values
from tests.models.planners.known_values import PLANNERS, VALUES, completions, labels_of


@pytest.mark.parametrize("passing", [True, False], ids=["passing", "counts"])
@pytest.mark.parametrize("planner", PLANNERS)
def test_the_intercept_of_least_loss_is_the_value_of_each_prefix(planner, passing):
    solutions, blocks = labels_of(planner, problems=250, solutions=4, seed=4)
    rollouts = completions(blocks)
    sequences = target_sequences(
        [value_sequences(solutions, rollouts, own=solutions, passing=passing)]
    )
    found, weights = known_values.residuals(sequences, VALUES)
    for steps, sums in found.items():
        if weights[steps]:
            error = np.sqrt((sums**2).sum())
            assert abs(sums.sum()) < 3 * error, (steps, sums.sum() / weights[steps])
    assert len([steps for steps in found if weights[steps]]) >= 5
