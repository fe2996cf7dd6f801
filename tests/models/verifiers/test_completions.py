import polars as pl

from pav.models.labels.sampling_measure import Completion
from pav.models.verifiers.completions import restrict, rollout_completions, solution_completions


def test_tables_give_distinct_completions_without_the_failed_ones():
    prefixes = pl.DataFrame({"prefix_id": ["x"], "problem_id": ["p"], "steps": [["a\n"]]})
    rollouts = pl.DataFrame({
        "prefix_id": ["x"] * 5, "policy_id": ["m", "m", "m", "m", "other"],
        "steps": [["b"], ["b"], ["c\n", "d"], ["b"], ["b"]],
        "verdict": ["correct", "correct", "truncated", "failed", "correct"],
        "finish_reason": ["stop", "stop", "length", "stop", "stop"],
    })  # fmt: skip
    assert rollout_completions(rollouts, prefixes, policy_id="m") == [
        Completion("p", ("a\n", "b"), True, 1, 2, 2),
        Completion("p", ("a\n", "c\n", "d"), False, 1, 1, 0),
    ]
    solutions = pl.DataFrame({
        "problem_id": ["p", "q"], "steps": [["b"], ["b"]], "verdict": ["wrong", "correct"],
        "finish_reason": ["stop", "stop"],
    })  # fmt: skip
    found = solution_completions(solutions)
    assert found == [Completion("p", ("b",), True, 0, 1, 0), Completion("q", ("b",), True, 0, 1, 1)]
    assert [each.problem_id for each in restrict(found, {"q"})] == ["q"]
