import numpy as np
import pytest

from pav.models.labels.sampling_measure import Completion, sampling_measure
from pav.models.verifiers.data import target_sequences, value_sequences
from tests.models.planners import known_values

SOLUTIONS = [
    Completion("p", ("a\n", "x"), True, 0, 3, 0), Completion("p", ("b\n", "y"), True, 0, 1, 1),
]  # fmt: skip


def test_a_completion_passes_every_prefix_from_its_start_that_it_goes_on_from():
    whole = Completion("p", ("a\n", "b\n", "c"), True, 1, 1, 1)
    assert whole.started_at == ("p", "a\n")
    assert whole.passed() == [("p", "a\n"), ("p", "a\nb\n")]
    assert Completion("p", (), True, 0, 1, 0).passed() == [("p", "")]


def test_rollouts_weigh_the_solutions_through_their_start_over_their_mean_at_that_depth():
    rollouts = [
        Completion("p", ("a\n", "z"), True, 1, 6, 0), Completion("p", ("b\n", "z"), True, 1, 2, 0),
        Completion("p", ("a\n", "z"), True, 0, 5, 0),
    ]  # fmt: skip
    measure = sampling_measure(SOLUTIONS, rollouts)
    # Eight rollouts from one step on: six through 3 solutions, two through 1; mean 2.5.
    assert [weight for _, weight in measure.weighted(rollouts)] == pytest.approx([1.2, 0.4, 1])
    assert measure.drawn_at(0) == 5 / 4
    assert measure.drawn_at(1) == 8 / 4
    assert measure.drawn_at(2) == 0
    assert measure.drawn_until(1) == measure.drawn_until(7) == pytest.approx(13 / 4)


def test_a_prefix_that_no_solution_passes_counts_once():
    alone = Completion("p", ("c\n", "z"), True, 1, 4, 0)
    other = Completion("p", ("a\n", "z"), True, 1, 4, 0)
    measure = sampling_measure(SOLUTIONS, [alone, other])
    assert [weight for _, weight in measure.weighted([alone, other])] == pytest.approx([0.5, 1.5])
    assert measure.drawn_at(1) == 8 / (1 + 3)


@pytest.mark.parametrize("passing", [True, False], ids=["passing", "counts"])
def test_step_ends_of_every_depth_have_the_mean_value_of_the_bare_problem(passing):
    solutions, blocks = known_values.labels_of("exhaustive", problems=250, solutions=4, seed=11)
    rollouts = known_values.completions(blocks)
    sequences = target_sequences(
        [value_sequences(solutions, rollouts, own=solutions, passing=passing)]
    )
    root = known_values.VALUES[()]
    for end in range(4):
        weights: dict[str, float] = {}
        errors: dict[str, float] = {}
        for each in sequences:
            name, weight = each.prefix.problem_id, float(each.weights[end, 0])
            weights[name] = weights.get(name, 0.0) + weight
            errors[name] = errors.get(name, 0.0) + weight * (float(each.targets[end, 0]) - root)
        sums = np.array(list(errors.values()))
        assert abs(sums.sum()) < 3 * np.sqrt((sums**2).sum())
        # Four solutions a problem, at every depth.
        assert sum(weights.values()) == pytest.approx(4 * 250, rel=0.02)
