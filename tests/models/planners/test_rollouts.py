from pav.models.planners import exhaustive, full_response, sample_solutions
from pav.models.records import Extend, Grade, Prefix, Sample, Verdict

TREE = {(): ["a\n", "b\n"], ("a\n",): ["x", "y"], ("b\n",): ["z"]}


def test_every_open_prefix_gets_its_rollouts_and_a_finished_one_none(world, play):
    here = world(TREE, right=frozenset({"a\ny"}))
    prefixes = [Prefix("p"), Prefix("p", ("a\n", "y"), is_finished=True), Prefix("p", ("a\n",))]
    rollouts = play(
        exhaustive(prefixes, policy="base", num_rollouts=2, block=3, seed=7, max_tokens=9), here
    )
    assert [len(each) for each in rollouts] == [2, 0, 2]
    assert [sample.steps for sample, _ in rollouts[2]] == [("x",), ("y",)]
    assert [grading.verdict for _, grading in rollouts[2]] == [Verdict.WRONG, Verdict.CORRECT]


def test_a_block_of_rollouts_is_one_request_and_names_its_stream(world, play):
    here = world(TREE)
    play(
        exhaustive([Prefix("p")], policy="weak", num_rollouts=2, block=3, seed=7, max_tokens=9),
        here,
    )
    extend, grade = here.requests
    assert extend == Extend("weak", (Prefix("p"),), 2, "end", 9, "label", seed=7, block=3)
    assert isinstance(grade, Grade)
    assert grade.responses[0] == Prefix("p", ("a\n", "x"), is_finished=True)


def test_nothing_is_asked_where_every_prefix_is_terminal(world, play):
    here = world(TREE)
    finished = [Prefix("p", ("a\n", "x"), is_finished=True)]
    play(exhaustive(finished, policy="base", num_rollouts=2, block=0, seed=0, max_tokens=9), here)
    assert here.requests == []


def test_solutions_come_graded(world, play):
    here = world(TREE, right=frozenset({"b\nz"}))
    solutions = play(
        sample_solutions(Prefix("p"), policy="base", num_samples=3, seed=1, max_tokens=9), here
    )
    assert [sample.steps for sample, _ in solutions] == [("a\n", "x"), ("b\n", "z"), ("a\n", "x")]
    assert [grading.verdict for _, grading in solutions].count(Verdict.CORRECT) == 1


def test_a_continuation_that_was_cut_off_leaves_the_response_open():
    prefix = Prefix("p", ("a\n",))
    assert full_response(prefix, Sample(("b",), "length", 1)) == Prefix("p", ("a\n", "b"))
    assert full_response(prefix, Sample(("b",), "stop", 1)).is_finished
