import pytest

from pav.models.settings import ProblemSettings
from pav.tasks.bench.problems import as_text, bench_problems


@pytest.mark.slow
def test_the_bench_solves_five_and_six_numbers_and_shows_what_each_problem_got() -> None:
    figures = bench_problems(ProblemSettings(max_train=1, highest=4))
    five, six = figures["hands"]
    assert [each["num_numbers"] for each in (five, six)] == [5, 6]
    assert [each["num_candidates"] for each in (five, six)] == [56, 84]
    assert 40 < five["num_problems"] < six["num_problems"] < 84
    assert all(each["num_train"] > each["num_problems"] / 2 for each in (five, six))
    # A hand such as 4 4 4 4 4 has few ways to make 24, and one such as 1 2 2 3 4 4 has many.
    assert 0.5 < five["demonstrations_enough"] < six["demonstrations_enough"] < 1
    assert 14 < six["demonstrations_mean"] < 16
    assert 3.5 < five["targets_mean"] <= six["targets_mean"] <= 4
    assert "84 hands of 6 numbers: solvable or not" in as_text(figures)
