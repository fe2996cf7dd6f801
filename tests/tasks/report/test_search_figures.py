"""Figures show the numbers they are given, in the same bytes each time."""

import math
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.tasks.report.diagnostic_figures import (
    label_noise,
    reliability_figure,
    training_figure,
    value_classes,
    values_figure,
)
from pav.tasks.report.difference_figures import (
    difference_panel,
    shared_range,
    sign_colour,
    signed_points,
)
from pav.tasks.report.plotting import BLUE, GREY, ORANGE, draw, percent_axis, spread
from pav.tasks.report.search_figures import accuracy_figure, curves, pass_curve


def arm(num_samples, accuracy, **changes):
    row = {
        "strategy": "beam", "verifier": "q", "prover": "", "num_samples": num_samples,
        "accuracy": accuracy, "low": accuracy - 0.05, "high": accuracy + 0.05,
        "pass_rate": accuracy + 0.1, "generated_tokens": 30.0 * num_samples,
    }  # fmt: skip
    return {**row, **changes}


def labels(*rows):
    columns = ("num_steps", "num_correct", "num_rollouts")
    return pl.DataFrame([dict(zip(columns, row, strict=True)) for row in rows])


def test_a_curve_has_its_arms_in_order_of_candidates():
    [curve] = curves([arm(64, 0.8), arm(4, 0.4)])
    assert curve.points == ((4.0, 0.4, 0.4 - 0.05, 0.4 + 0.05), (64.0, 0.8, 0.75, 0.8 + 0.05))
    [by_tokens] = curves([arm(64, 0.8), arm(4, 0.4)], x="generated_tokens")
    assert [point[0] for point in by_tokens.points] == [120.0, 1920.0]


def test_the_same_arm_has_the_same_colour_whatever_stands_beside_it():
    pav = {"verifier": "pav", "prover": "bo4"}
    alone = curves([arm(4, 0.4, **pav)])[0]
    beside = curves([arm(4, 0.3), arm(4, 0.4, **pav)])[1]
    assert alone.colour == beside.colour
    assert curves([arm(4, 0.3)])[0].colour != alone.colour


def test_pass_at_n_is_the_pass_rate_of_the_candidates():
    assert pass_curve([arm(4, 0.4)], label="pass").points == ((4.0, 0.5, 0.5, 0.5),)


def test_a_figure_is_the_same_bytes_each_time_and_holds_its_labels():
    shown = [*curves([arm(4, 0.4), arm(16, 0.6)]), pass_curve([arm(4, 0.4)], label="pass@N")]
    first, second = (
        accuracy_figure(shown, name="accuracy", title="t", caption="c") for _ in range(2)
    )
    assert first.svg == second.svg
    assert "beam Q" in first.svg.decode()
    assert "pass@N" in first.svg.decode()


def test_fonts_of_a_figure_are_those_of_the_page():
    def paint(axes):
        axes.set_xlabel("words")

    svg = draw(paint).decode()
    assert "system-ui" in svg


@given(st.lists(st.floats(-1, 2), max_size=12), st.floats(0.01, 0.2))
def test_labels_never_cover_each_other_and_keep_their_order(heights, gap):
    placed = spread(sorted(heights), gap=gap)
    assert len(placed) == len(heights)
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(placed))
    assert math.isclose(sum(placed), sum(heights), abs_tol=1e-6)


def test_labels_that_are_far_apart_stay_where_they_are():
    assert spread([0.1, 0.5, 0.9], gap=0.06) == [0.1, 0.5, 0.9]


def test_value_classes_are_closed_at_the_top_and_sum_to_one():
    classes = value_classes(labels((1, 0, 8), (1, 2, 8), (1, 3, 8), (1, 8, 8), (0, 7, 8)))
    assert classes.rows() == [
        (0, 4, 1, 1.0), (1, 0, 1, 0.25), (1, 1, 1, 0.25), (1, 2, 1, 0.25), (1, 5, 1, 0.25),
    ]  # fmt: skip


def test_label_noise_is_split_as_computed_by_hand():
    # values .25 and .75 of 4: v(1-v) n/(n-1) = .1875 * 4/3 = .25; between: .125 - .25/4 = .0625
    within, between = label_noise(labels((0, 1, 4), (1, 3, 4)))
    assert within == pytest.approx(0.25)
    assert between == pytest.approx(0.0625)


def test_label_noise_finds_the_true_spread_of_simulated_labels():
    random = np.random.default_rng(0)
    truth = random.beta(2, 3, 4000)
    counts = random.binomial(8, truth)
    within, between = label_noise(labels(*((0, int(count), 8) for count in counts)))
    assert between == pytest.approx(truth.var(), rel=0.08)
    assert within == pytest.approx((truth * (1 - truth)).mean(), rel=0.05)


def test_prefixes_without_rollouts_are_left_out():
    assert value_classes(labels((0, 0, 0), (0, 1, 2)))["num_prefixes"].to_list() == [1]
    assert label_noise(labels((0, 0, 0))) == (0.0, 0.0)


def test_figures_of_labels_and_reliability_can_be_drawn_from_few_rows():
    few = labels((0, 1, 4), (1, 4, 4))
    assert values_figure(few, title="t", caption="c").svg.startswith(b"<?xml")
    scores = few.with_columns(score=pl.Series([0.3, 1.0]))
    figure = reliability_figure(scores, verifier="q", title="t", caption="c")
    assert figure.name == "reliability-q"


def test_a_training_without_a_pipeline_seed_is_drawn_too():
    runs = pl.DataFrame(
        {
            "name": ["policy"] * 2, "pipeline_seed": [None] * 2, "step": [0, 100],
            "train_loss": [2.0, 1.0], "validation_loss": [None] * 2,
        },
        schema_overrides={"pipeline_seed": pl.Int32, "validation_loss": pl.Float64},
    )  # fmt: skip
    svg = training_figure(runs, name="policy", title="t", caption="c").svg.decode()
    assert "train" in svg
    assert "validation" not in svg


def test_an_arm_that_never_succeeds_is_drawn_on_an_axis_that_begins_at_zero():
    shown = curves([arm(4, 0.0, low=0.0, high=0.0), arm(16, 0.0, low=0.0, high=0.0)])
    svg = accuracy_figure(shown, name="accuracy", title="t", caption="c").svg.decode()
    assert "\u22124%" not in svg


@pytest.mark.parametrize("top", [0.02, 0.06, 0.31, 0.42, 0.97, 1.0])
@pytest.mark.parametrize("bottom", [0.0, 0.73])
def test_a_tick_says_exactly_where_it_stands(top, bottom):
    seen: list[tuple[float, str]] = []

    def paint(axes):
        axes.plot([0, 1], [min(bottom, top / 2), top])
        percent_axis(axes)
        low, high = axes.get_ylim()
        shown = [tick for tick in axes.get_yticks() if low <= tick <= high]
        seen.extend((tick, axes.yaxis.get_major_formatter()(tick)) for tick in shown)

    draw(paint)
    assert len(seen) >= 3
    assert all(text == f"{100 * tick:.6g}%" for tick, text in seen if tick)
    [step] = {float(f"{after[0] - before[0]:.6g}") for before, after in pairwise(seen)}
    assert f"{step:.0e}"[0] in "125"
    assert float(f"{step:.0e}") == step


def difference(middle, low, high, num_samples=4):
    first = {"strategy": "beam", "verifier": "pav", "prover": "bo4", "num_samples": num_samples}
    return {
        "first": first, "difference": middle, "low": low, "high": high,
        "excludes_zero": low > 0 or high < 0,
    }  # fmt: skip


def test_a_difference_is_coloured_by_its_sign_and_grey_where_none_is_shown():
    gain, loss = difference(0.05, 0.01, 0.1), difference(-0.05, -0.1, -0.01)
    assert (sign_colour(gain), sign_colour(loss)) == (BLUE, ORANGE)
    assert sign_colour(difference(0.05, -0.01, 0.1)) == GREY


def test_panels_share_a_range_that_holds_every_interval_and_zero():
    low, high = shared_range([difference(0.05, 0.01, 0.1), difference(0.3, 0.2, 0.4)])
    assert low < 0 < 0.4 < high
    low, high = shared_range([difference(-0.05, -0.1, -0.01)])
    assert low < -0.1 < 0 < high


def test_a_panel_shows_only_its_own_arm_in_the_colours_of_its_differences():
    rows = [difference(0.05, 0.01, 0.1), difference(-0.2, -0.3, -0.1, num_samples=16)]
    panel = difference_panel(rows, name="n", title="t", span=(-0.4, 0.4), caption="c")
    drawn = panel.svg.decode().partition("</style>")[2]
    assert BLUE.lower() in drawn
    assert ORANGE.lower() in drawn
    assert "+20" in drawn


@pytest.mark.parametrize(
    ("number", "text"), [(0.05, "+5"), (-0.025, "\u22122.5"), (0.0, "0"), (-0.0, "0")]
)
def test_a_tick_of_a_difference_has_its_sign(number, text):
    assert signed_points(number) == text
