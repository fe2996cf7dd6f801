import pytest

from pav.models.settings import ProblemSettings
from pav.tasks.benches.problems import as_text, bench_problems


@pytest.mark.slow
def test_the_bench_solves_five_and_six_numbers_and_shows_what_each_problem_got() -> None:
    few = ProblemSettings(max_train=6, max_validation=1, max_test=1, highest=4)
    figures = bench_problems(few)
    five, six = figures["hands"]
    assert [each["num_numbers"] for each in (five, six)] == [5, 6]
    assert [each["num_candidates"] for each in (five, six)] == [56, 84]
    assert [each["num_train"] for each in (five, six)] == [6, 6]
    assert six["demonstrations_enough"] == six["targets_enough"] == 1.0
    assert six["demonstrations_mean"] == 16
    text = as_text(figures)
    assert "84 hands of 6 numbers: solvable or not" in text
    assert "demonstrations of a training problem: 16.0" in text
