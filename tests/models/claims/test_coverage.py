import numpy as np
import pytest

from pav.models.claims.coverage import World, coverage_simulation, simulate


def test_simulated_differences_have_a_row_for_each_seed_and_problem():
    drawn = simulate(World(num_seeds=3, num_problems=20), 5, seed=0)
    assert drawn.shape == (5, 3, 20)
    assert set(np.unique(drawn)) == {-1.0, 0.0, 1.0}


def test_no_effect_means_no_difference_on_average():
    drawn = simulate(World(effect=0.0), 200, seed=0)
    assert drawn.mean() == pytest.approx(0, abs=0.01)


def test_with_three_seeds_the_interval_over_problems_alone_covers_too_little():
    covered = coverage_simulation(World(seed_sd=0.3), num_trials=200, num_resamples=200)
    assert covered["over_problems"] < 0.85
    assert covered["over_seeds"] > 0.9
    assert covered["over_both"] > 0.9


def test_one_seed_has_no_interval_over_seeds():
    covered = coverage_simulation(World(num_seeds=1), num_trials=20, num_resamples=100)
    assert set(covered) == {"over_problems", "resampled_both"}


def test_the_effect_is_the_first_arms_advantage_in_logits():
    still = World(effect=0.5, level=0.0, problem_sd=0.0, taste_sd=0.0, seed_sd=0.0, noise_sd=0.0)
    # 1/(1 + e^-.25) - 1/(1 + e^.25) = tanh(1/8)
    assert simulate(still, 400, seed=0).mean() == pytest.approx(np.tanh(1 / 8), abs=0.005)
