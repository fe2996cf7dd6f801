from pav.models.planners.rollouts import full_response, sample_solutions
from pav.models.records import Prefix, Sample, Verdict

TREE = {(): ["a\n", "b\n"], ("a\n",): ["x", "y"], ("b\n",): ["z"]}


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
