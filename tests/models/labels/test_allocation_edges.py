"""Allocation where a small slip would send rollouts to the wrong prefixes."""

import numpy as np
import pytest

from pav.models.labels.allocation import UNKNOWN, Budget, expected_gains, fit_prior, spend_budget


def test_before_anything_is_known_right_and_wrong_are_as_likely():
    none, all_right = expected_gains([0, 4], [4, 4], UNKNOWN, block=4)[:, 0]
    # Beta(1/2, 9/2): E[Q (1 - Q)] = 0.5 * 4.5 / (5 * 6); the fall is 1/4 - 1/8.
    assert none == pytest.approx(0.5 * 4.5 / 30 / 8)
    assert all_right == pytest.approx(none)


def test_a_prior_has_three_decimals_so_that_machines_agree_on_it():
    random = np.random.default_rng(3)
    prior = fit_prior(random.binomial(8, random.beta(0.4, 0.8, 500)), np.full(500, 8))
    assert (prior.alpha, prior.beta) == (round(prior.alpha, 3), round(prior.beta, 3))


def test_later_rounds_see_what_the_rounds_before_them_drew():
    # Each first block of eight prefixes is all right but for two, which are half right: the
    # second round has eight blocks, and all go to these two.
    first = np.array([8, 4, 8, 8, 4, 8, 8, 8])
    asked = []

    def draw(blocks, taken):
        asked.append((blocks.tolist(), taken.tolist()))
        return np.where(blocks == 0, first * taken, 0)

    kinds = np.zeros(8, dtype=np.int64)
    spent = spend_budget(kinds, Budget(16 * 8, 8, 2), most=64, draw=draw)
    assert asked[0] == ([0] * 8, [1] * 8)
    assert asked[1][0] == [1] * 8
    assert spent.sum() == 16
    assert spent.argsort(kind="stable")[-2:].tolist() == [1, 4]


def test_of_two_rounds_the_first_is_for_first_blocks_alone():
    assert Budget(800, 8, 2).blocks_of_round(0, spent=0, unlabelled=60) == 60
    assert Budget(800, 8, 1).blocks_of_round(0, spent=0, unlabelled=60) == 100
