import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.labels.budget import rollouts_for, scaled, total_cost, wasted_tokens
from pav.models.records import Grading, Sample, Verdict

# 12 tokens and 5 ms of a worker for each rollout.
COSTS = {"rollouts": 1000.0, "generated_tokens": 12_000.0, "seconds": 5.0}


def test_a_budget_in_rollouts_needs_no_pilot():
    assert rollouts_for(205_056, "rollouts", costs={}, workers=2) == 205_056


def test_a_budget_in_tokens_buys_rollouts_at_the_tokens_of_each():
    assert rollouts_for(1_200_000, "tokens", costs=COSTS, workers=2) == 100_000
    assert rollouts_for(1_200_011, "tokens", costs=COSTS, workers=2) == 100_000
    assert rollouts_for(1_200_012, "tokens", costs=COSTS, workers=2) == 100_001


def test_a_budget_in_minutes_is_of_the_clock_so_workers_share_it():
    # 60 s at 5 ms each.
    assert rollouts_for(1, "minutes", costs=COSTS, workers=1) == 12_000
    assert rollouts_for(0.5, "minutes", costs=COSTS, workers=3) == 18_000


@pytest.mark.parametrize("unit", ["tokens", "minutes"])
@pytest.mark.parametrize("costs", [{}, {"rollouts": 8.0}], ids=["none", "nothing measured"])
def test_a_budget_without_a_pilot_that_measured_its_unit_is_refused(unit, costs):
    with pytest.raises(InputError, match=f"label.budget in {unit}: expected pilots that measured"):
        rollouts_for(10, unit, costs=costs, workers=1)


@given(st.floats(0, 1e9), st.integers(1, 64), st.sampled_from(["tokens", "minutes"]))
def test_what_is_bought_never_costs_more_than_the_budget_and_one_more_would(budget, workers, unit):
    bought = rollouts_for(budget, unit, costs=COSTS, workers=workers)
    each = 12 if unit == "tokens" else 0.005 / 60 / workers
    assert bought * each <= budget * (1 + 1e-9)
    assert (bought + 1) * each > budget * (1 - 1e-9)


def test_costs_add_up_item_by_item():
    total = total_cost([{"seconds": 1.5, "rollouts": 8.0}, {"seconds": 2.0}])
    assert total == {"seconds": 3.5, "rollouts": 8.0}


def test_a_pilot_is_scaled_from_its_measured_prefixes_to_all():
    pilot = {
        "steady_prefixes": 500.0, "steady_problems": 40.0,
        "steady_labels": 400.0, "steady_rollouts": 4000.0,
        "steady_prompt_tokens": 10_000.0, "steady_generated_tokens": 50_000.0,
        "steady_wasted_tokens": 500.0, "steady_seconds": 2.5, "seconds": 9.0, "rollouts": 5000.0,
    }  # fmt: skip
    assert scaled(pilot, 12_000, by="prefixes") == {
        "labels": 9600, "rollouts": 96_000, "prompt_tokens": 240_000,
        "generated_tokens": 1_200_000, "wasted_tokens": 12_000, "seconds": 60,
    }  # fmt: skip
    assert scaled(pilot, 80, by="problems")["rollouts"] == 8000


def test_nothing_to_label_costs_nothing():
    pilot = {f"steady_{item}": 0.0 for item in (
        "prefixes", "labels", "rollouts", "prompt_tokens", "generated_tokens", "wasted_tokens",
        "seconds",
    )}  # fmt: skip
    assert set(scaled(pilot, 0, by="prefixes").values()) == {0.0}


def test_wasted_tokens_are_those_of_samples_without_an_answer():
    sizes = {"correct": 1, "wrong": 2, "truncated": 4, "unparsed": 8, "failed": 16}
    graded = [
        (Sample((), "stop", size), Grading(Verdict(verdict))) for verdict, size in sizes.items()
    ]
    assert wasted_tokens(graded) == 4 + 8 + 16
