"""Under every planner the loss of a verifier is least at the true value."""

import numpy as np
import pytest

from pav.models.planners.adaptive import adaptive, adaptive_walk
from pav.models.planners.binary_search import binary_search
from pav.models.planners.first_pit import PitBudget, first_pit
from pav.models.planners.tree_search import Selection, TreeBudget, tree_search
from pav.models.sequential import SequentialRule
from pav.models.verifier_data import target_sequences, value_sequences
from tests.models.planners import known_values

WIDTH = SequentialRule(2, 0.4, 0.0, 0.95, 16)
UNTIL_RIGHT = SequentialRule(2, 0.0, 0.2, 0.95, 16, until_right=True)
PITS = PitBudget(pilot=2, walk=2, estimate=4, pit=4)
SIZES = {"problems": 250, "solutions": 4, "seed": 3}


PLANNERS = {
    "exhaustive": known_values.all_prefixes,
    "first_pit": lambda found: [first_pit(each, high_value=0.0, budget=PITS) for each in found],
    "first_pit above a share": lambda found: [
        first_pit(each, high_value=0.3, budget=PITS) for each in found
    ],
    "binary_search": lambda found: [
        binary_search(each, num_blocks=3, fresh_blocks=4) for each in found
    ],
    "tree_search": lambda found: [
        tree_search(found[0].prefixes[0], budget=TreeBudget(3, 4, 4), selection=Selection())
    ],
    "adaptive by width": lambda found: [adaptive(each, WIDTH) for each in found],
    "adaptive first_error": lambda found: [adaptive_walk(each, UNTIL_RIGHT) for each in found],
}


def samples(planner):
    if planner == "budget":
        return known_values.labelled_by_budget(4, each=8, most=32, **SIZES)
    return known_values.labelled(PLANNERS[planner], **SIZES)


@pytest.mark.parametrize("passing", [True, False], ids=["passing", "counts"])
@pytest.mark.parametrize("planner", [*PLANNERS, "budget"])
def test_the_intercept_of_least_loss_is_the_value_of_each_prefix(planner, passing):
    solutions, rollouts = samples(planner)
    sequences = target_sequences(
        [value_sequences(solutions, rollouts, own=solutions, passing=passing)]
    )
    found, weights = known_values.residuals(sequences, known_values.VALUES)
    for steps, sums in found.items():
        if weights[steps]:
            error = np.sqrt((sums**2).sum())
            assert abs(sums.sum()) < 3 * error, (steps, sums.sum() / weights[steps])
    assert len([steps for steps in found if weights[steps]]) >= 5
