"""`pav bench labels` in miniature: a pool of a few prefixes of a policy taught by heart."""

import math

import numpy as np
import pytest

from pav.models.domains import domain
from pav.models.domains.countdown.domain import fault
from pav.models.planners.replay import Pool, replay
from pav.tasks.bench import pool_work as pooling
from pav.tasks.bench.label_case import BLOCK, Case, read_case
from pav.tasks.bench.label_figures import as_text, compare_searches, equal_rollouts, label_figures
from pav.tasks.bench.label_plot import curve_figures, envelope
from pav.tasks.bench.label_rates import Timing, bench_rates
from pav.tasks.bench.labels import curve, played, players, walk
from pav.tasks.bench.pool_plan import POOL_ROLLOUTS, TRUTH_ROLLOUTS, plan_pool
from tests.tasks.brief_world import TaughtWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A store with samples of a policy that is right now and then."""
    return TaughtWorld(tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="module")
def pools(world):
    """The pool units of a dozen prefixes, made."""
    units = plan_pool(world.settings, world.store, policy=world.policies["base"],
                      sampled=world.samples, num_prefixes=12)  # fmt: skip
    return world.made(pooling, units)


@pytest.fixture(scope="module")
def case(world, pools):
    return read_case(world.store, pools, world.problems, domain("countdown"), solver=fault)


def test_a_pool_holds_every_prefix_of_its_solutions_with_independent_halves(case):
    count = len(case.pool.prefixes)
    assert count >= 12
    assert case.pool.right.shape == (count, POOL_ROLLOUTS // BLOCK)
    assert {prefix for each in case.solutions for prefix in each.prefixes} <= set(
        case.pool.prefixes
    )
    drawn = case.pool.right.sum(axis=1) / POOL_ROLLOUTS
    # Two halves of 256: they agree within what chance leaves, and are not the same rollouts.
    assert np.abs(drawn - case.truth).max() < 5 * math.sqrt(2 * 0.25 / TRUTH_ROLLOUTS)
    assert (drawn != case.truth).any()
    assert 0 < case.truth.mean() < 1


def test_the_true_first_error_is_the_solvers_and_a_correct_solution_has_none(case):
    for solution, error in zip(case.solutions, case.errors, strict=True):
        assert (error is None) == solution.is_correct
        if error is not None:
            # From a living prefix the policy may be right; behind the error it never is.
            dead = [case.truth[case.pool.index[prefix]] for prefix in solution.prefixes[error:]]
            assert not any(dead)


def test_errors_fall_with_rollouts_for_every_planner_that_estimates_all(case):
    weights = np.full((1, case.num_problems), 1 / case.num_problems)
    settings = players(case)
    exhaustive = curve(played(case, settings["exhaustive"]), weights)
    assert [each.rollouts_per_prefix[0] for each in exhaustive] == [4, 8, 16, 32, 64, 128]
    assert exhaustive[0].error[0] > exhaustive[-1].error[0]
    spent = curve(played(case, settings["adaptive, budget"]), weights)
    assert [each.rollouts_per_prefix[0] for each in spent] == pytest.approx(
        [3, 4, 5, 6, 8, 12, 16, 24, 32, 48], abs=2 * BLOCK / len(case.pool.prefixes)
    )


def test_binary_search_and_every_prefix_agree_on_the_very_same_rollouts(case):
    found = compare_searches(case, 16)
    assert found["same_where_monotone"] == found["num_monotone"] > 0
    assert found["rollouts"] < found["exhaustive_rollouts"]


def test_a_search_that_is_not_monotone_is_counted_apart(solution):
    # ab is dead by its two rollouts and abc alive after it; the bare problem and a are alive.
    wrong = solution("abcd")
    right = np.array([[1], [1], [0], [2]], dtype=np.int64)
    case = Case(
        Pool(wrong.prefixes, right, 2), np.zeros(4), np.zeros(4), np.zeros(4, dtype=np.int64),
        (wrong,), (2,),
    )  # fmt: skip
    found = compare_searches(case, 2)
    # Of four prefixes the search tries the third: dead; then the second: alive.
    assert (found["num_monotone"], found["num_violations"], found["same_where_not"]) == (0, 1, 1)
    assert replay(case.pool, []).num_rollouts.tolist() == [0, 0, 0, 0]


def test_the_figures_are_printed_with_the_rates_of_all_ways(world, case):
    figures = label_figures(case, seed=0)
    wanted = equal_rollouts(figures, "adaptive, budget", at="n = 8")
    assert 2 <= wanted <= 48
    timings = [Timing(8, 2, wanted, 12)]
    [rates] = bench_rates(world.settings, world.store, world.samples,
                          policy=world.policies["base"], timings=timings)  # fmt: skip
    assert set(rates["labels_per_second"]) >= set(rates["promised"])
    assert min(rates["labels_per_second"].values()) > 0
    assert rates["num_labels"] >= 12
    text = as_text(figures | {"rates": [rates]})
    assert "rollouts as a share of the reference's" in text
    assert "walk, until right" in text
    assert "promised 12" in text
    drawn = curve_figures(figures)
    assert set(drawn) == {"labels-error.svg", "labels-accuracy.svg"}
    assert all(b"first pit" in svg and b"exhaustive" in svg for svg in drawn.values())


def test_the_fair_reference_walks_wrong_solutions_to_their_first_dead_prefix(solution):
    wrong = solution("abcd")
    # Of four rollouts the bare problem has a right one in its second block, a in its first, ab
    # none; abc is never looked at.
    right = np.array([[0, 1], [2, 0], [0, 0], [2, 2]], dtype=np.int64)
    pool = Pool(wrong.prefixes, right, 2)
    fixed = replay(pool, [walk(wrong, num_rollouts=4)])
    assert fixed.num_rollouts.tolist() == [4, 4, 4, 0]
    stopped = replay(pool, [walk(wrong, num_rollouts=4, until_right=True)])
    assert stopped.num_rollouts.tolist() == [4, 2, 4, 0]
    for each in (fixed, stopped):
        assert each.returned == [wrong.prefixes[2]]
        assert each.first_dead([wrong]) == [2]
    correct = solution("abcd", is_correct=True)
    nothing = replay(pool, [walk(correct, num_rollouts=4)])
    assert (nothing.returned, nothing.num_rollouts.sum()) == ([None], 0)


def test_first_errors_are_priced_against_the_walk_and_values_against_every_prefix(case):
    prices = label_figures(case, seed=0)["prices"]
    assert {(each["figure"], each["reference"]) for each in prices} == {
        ("error", "exhaustive"), ("accuracy", "walk, n each"),
    }  # fmt: skip
    assert not any(each["planner"] == each["reference"] for each in prices)


def test_a_curve_leaves_out_settings_that_a_cheaper_one_is_as_good_as():
    def at(rollouts, error):
        return {"rollouts_per_prefix": (rollouts, 0, 0), "error": (error, 0, 0)}

    points = [at(8, 0.3), at(4, 0.5), at(6, 0.6), at(9, 0.3), at(16, 0.1)]
    kept = [each["rollouts_per_prefix"][0] for each in envelope(points, "error")]
    assert kept == [4, 8, 16]
