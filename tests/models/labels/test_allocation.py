import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.labels.allocation import (
    UNKNOWN,
    Budget,
    Candidates,
    Prior,
    allot,
    expected_gains,
    fit_prior,
    next_blocks,
    spend_budget,
)


def labelled(count):
    return np.ones(count, dtype=np.bool_)


def everywhere(count, value=99):
    return np.full(count, value, dtype=np.int64)


def test_the_prior_is_that_of_the_values_behind_the_counts():
    random = np.random.default_rng(0)
    values = random.beta(0.3, 0.9, 20_000)
    prior = fit_prior(random.binomial(8, values), np.full(20_000, 8))
    assert prior.alpha == pytest.approx(0.3, abs=0.02)
    assert prior.beta == pytest.approx(0.9, abs=0.06)


def test_too_few_counts_say_nothing_of_the_values_behind_them():
    assert fit_prior([4] * 29, [8] * 29) is UNKNOWN
    assert fit_prior([4] * 30 + [0] * 100, [8] * 30 + [0] * 100) is not UNKNOWN


def test_a_gain_is_the_expected_fall_of_a_labels_variance():
    # Under Beta(1/2, 1/2) 2 of 4 leaves Beta(2.5, 2.5), where E[Q (1 - Q)] = 2.5 * 2.5 / (5 * 6).
    [[first, second, *_]] = expected_gains([2], [4], UNKNOWN, block=4)
    assert first == pytest.approx(6.25 / 30 * (1 / 4 - 1 / 8), rel=0.01)
    assert second == pytest.approx(6.25 / 30 * (1 / 8 - 1 / 12), rel=0.01)


def test_a_first_block_comes_before_any_second():
    first, second = expected_gains([0, 4], [0, 8], UNKNOWN, block=8)[:, 0]
    assert first > 10 * second


def test_where_values_are_0_or_1_a_first_look_settles_them():
    spiky = fit_prior([0] * 700 + [8] * 300, [8] * 1000)
    none, half = expected_gains([0, 4], [8, 8], spiky, block=8)[:, 0]
    assert none < half / 10


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 16))
def test_gains_fall_with_every_block(correct, wrong, block):
    [gains] = expected_gains([correct], [correct + wrong], UNKNOWN, block=block)
    assert (np.diff(gains) < 0).all()
    assert (gains > 0).all()


def test_uncertain_prefixes_gain_more_than_settled_ones():
    half, settled, often = expected_gains([4, 0, 32], [8, 8, 64], UNKNOWN, block=8)[:, 0]
    assert half > settled
    assert half > often


def test_the_largest_gains_are_taken_and_no_prefix_gets_more_than_its_room():
    gains = np.array([[9.0, 8.0, 7.0], [6.0, 5.0, 4.0], [1.0, 0.5, 0.2]])
    taken, first = allot(
        gains,
        num_blocks=4,
        room=np.array([2, 9, 9]),
        tie_breaks=np.arange(3, dtype=np.int64),
        is_labelled=labelled(3),
    )
    assert taken.tolist() == [2, 2, 0]
    assert first.tolist() == [9.0, 6.0, 1.0]


def test_equal_gains_are_taken_by_tie_break_and_not_by_place():
    taken, _ = allot(
        np.ones((4, 1)),
        num_blocks=2,
        room=everywhere(4),
        tie_breaks=np.array([3, 1, 2, 0]),
        is_labelled=labelled(4),
    )
    assert taken.tolist() == [0, 1, 0, 1]


@given(st.integers(-3, 60))
def test_no_more_blocks_are_allotted_than_there_are(num_blocks):
    taken, _ = allot(
        np.ones((5, 8)),
        num_blocks=num_blocks,
        room=everywhere(5, 3),
        tie_breaks=np.arange(5),
        is_labelled=labelled(5),
    )
    assert taken.sum() == min(max(num_blocks, 0), 15)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="got 2, 3, 3 and 3"):
        allot(
            np.ones((2, 8)), num_blocks=1, room=everywhere(3), tie_breaks=everywhere(3),
            is_labelled=labelled(3),
        )  # fmt: skip


@pytest.mark.parametrize(("number", "spent", "blocks"), [(0, 0, 60), (1, 60, 14), (2, 74, 13),
                                                         (3, 87, 13)])  # fmt: skip
def test_a_first_block_everywhere_then_what_is_left_in_even_rounds(number, spent, blocks):
    # 800 rollouts are 100 blocks of 8; 60 prefixes; 40 blocks are left for three rounds.
    assert Budget(800, 8, 4).blocks_of_round(number, spent=spent, unlabelled=60) == blocks


def test_a_budget_that_does_not_reach_everywhere_is_spent_at_once():
    assert Budget(80, 8, 4).blocks_of_round(0, spent=0, unlabelled=60) == 10


def test_a_round_draws_where_values_are_uncertain_by_what_its_kind_is_like():
    # Kind 0 is all or nothing: there 0 of 4 is settled, and 2 of 4 is no more so than in kind 1,
    # where all are at one half; of equal gains the first in the order is taken.
    correct = np.array([0, 4] * 20 + [2] * 40, dtype=np.int64)
    odd = correct.copy()
    odd[0] = 2
    some = Candidates(
        odd, everywhere(80, 4), everywhere(80, 1), everywhere(80, 64),
        np.repeat(np.arange(2, dtype=np.int64), 40), np.arange(80, dtype=np.int64),
    )  # fmt: skip
    taken, gains = next_blocks(some, Budget(81 * 4, 4, 2), number=1)
    assert taken[1:40].sum() == 0
    assert min(gains[0], gains[40]) > 10 * gains[1]


def known(blocks, correct, *, most=64, kinds=None):
    blocks = np.array(blocks, dtype=np.int64)
    size = len(blocks)
    return Candidates(
        np.array(correct, dtype=np.int64), blocks * 4, blocks, everywhere(size, most),
        everywhere(size, 0) if kinds is None else kinds, np.arange(size, dtype=np.int64),
    )  # fmt: skip


def test_a_first_block_stands_before_all_others_whatever_the_prior():
    # Under Beta(.02, 200), inside the bounds of the fit, a first block gains less than the next
    # block of 2 of 4.
    rare = Prior(0.02, 200.0)
    gains = expected_gains([0, 2], [0, 4], rare, block=4)
    assert gains[0, 0] < gains[1, 0]
    taken, _ = allot(
        gains, num_blocks=1, room=everywhere(2), tie_breaks=np.array([1, 0]),
        is_labelled=np.array([False, True]),
    )  # fmt: skip
    assert taken.tolist() == [1, 0]


def test_a_prefix_without_a_block_gets_one_and_others_as_many_as_are_left_to_them():
    # One round: twelve blocks in all, two of them drawn; the two new prefixes have none right.
    taken, _ = next_blocks(known([1, 1, 0, 0], [2, 2, 0, 0], most=4), Budget(48, 4, 1), number=0)
    assert taken.tolist() == [3, 3, 1, 1]
    # In the first of several rounds those without a block get theirs, and no one more.
    taken, _ = next_blocks(known([1, 1, 0, 0], [2, 2, 0, 0], most=4), Budget(96, 4, 3), number=0)
    assert taken.tolist() == [0, 0, 1, 1]


def test_a_budget_is_spent_in_rounds_that_go_on_from_what_was_drawn():
    seen = []

    def draw(blocks, taken):
        seen.append((blocks.tolist(), taken.tolist()))
        return taken * np.array([0, 2, 4])

    kinds = np.zeros(3, dtype=np.int64)
    blocks = spend_budget(kinds, Budget(36, 4, 3), most=5, draw=draw)
    assert [first for first, _ in seen] == [
        [sum(taken[row] for _, taken in seen[:number]) for row in range(3)] for number in range(3)
    ]
    assert blocks.sum() == 9
    assert blocks.max() == blocks[1]
    assert seen[0] == ([0, 0, 0], [1, 1, 1])
