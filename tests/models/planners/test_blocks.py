from pav.models.planners.blocks import Block, counts
from pav.models.planners.exhaustive import exhaustive, listed
from pav.models.records import Extend, Grade, Grading, Prefix, Sample, Verdict

ROOT, STEP = Prefix("p"), Prefix("p", ("a\n",))


def test_every_open_prefix_gets_all_blocks_and_a_finished_one_none(dice, labelled):
    here = dice({}, 2)
    finished = Prefix("p", ("a\n", "x"), is_finished=True)
    rules, _ = labelled([exhaustive([ROOT, finished, STEP], (0, 3))], here)
    assert rules == {
        (prefix.steps, number): "fixed" for prefix in (ROOT, STEP) for number in (0, 3)
    }


def test_blocks_that_are_wanted_together_are_one_request_that_names_their_streams(
    play, dice, world
):
    here = world({(): ["x"], ("a\n",): ["x"]})
    from pav.models.planners.blocks import label_problem

    play(
        label_problem([exhaustive([ROOT, STEP], (4, 5))], policy="weak", block_size=2, seed=7,
                      max_tokens=9),
        here,
    )  # fmt: skip
    extend, grade = here.requests
    assert extend == Extend(
        "weak", (ROOT, STEP, ROOT, STEP), 2, "end", 9, "label", seed=7, blocks=(4, 4, 5, 5)
    )
    assert isinstance(grade, Grade)


def test_nothing_is_asked_where_every_prefix_is_terminal(dice, labelled):
    here = dice({}, 2)
    assert labelled([exhaustive([Prefix("p", ("x",), is_finished=True)], (0,))], here) == (
        {},
        [None],
    )
    assert here.asked == []


def test_a_block_that_two_planners_want_is_drawn_once_under_the_first_of_the_rules(dice, labelled):
    here = dice({}, 2)
    rules, _ = labelled(
        [
            listed([Block(ROOT, 0, "search"), Block(STEP, 0, "fresh")]),
            listed([Block(ROOT, 0, "fixed"), Block(STEP, 0, "search")]),
            listed([Block(ROOT, 1, "allocated"), Block(ROOT, 1, "sequential block=2")]),
        ],
        here,
    )
    assert here.asked == [((), 0), (("a\n",), 0), ((), 1)]
    assert rules == {((), 0): "fixed", (("a\n",), 0): "fresh", ((), 1): "sequential block=2"}


def test_failed_rollouts_are_no_rollouts():
    verdicts = (Verdict.CORRECT, Verdict.FAILED, Verdict.UNPARSED, Verdict.TRUNCATED)
    block = [(Sample(("x",), "stop", 1), Grading(verdict)) for verdict in verdicts]
    assert counts([block, block]) == (2, 6)
