import pytest

from pav.models.errors import InputError
from pav.models.formats import FORMATS, bounds
from pav.models.formats.bounds import bounded
from pav.models.formats.records import ImportedSolution


def solution(num_steps, step="x\n"):
    return ImportedSolution("Q?", (step,) * num_steps)


def test_long_solutions_are_kept_and_longer_ones_refused_with_what_to_do():
    longest = solution(bounds.MOST_STEPS)
    assert bounded([longest]) == (longest,)
    with pytest.raises(InputError, match=r"10,000 steps .*, got 10,001 and 20,002; .*segmenter"):
        bounded([solution(bounds.MOST_STEPS + 1)])
    with pytest.raises(InputError, match=r"1,000,000 characters, got 2 and 1,000,002"):
        bounded([solution(2, "x" * 500_001)])


def test_a_row_of_too_many_solutions_is_refused_before_all_of_them_are_made():
    def endless():
        while True:
            yield solution(bounds.MOST_STEPS)

    with pytest.raises(InputError, match=r"100,000 steps .* in one row"):
        bounded(endless())


# Small in a file, the square of it when each alternative is written out as a solution.
STEP = {
    "completions": [{"text": "a", "rating": 1}, {"text": "b", "rating": -1}],
    "chosen_completion": 0,
}
CHILD = {"text": "b", "mc_value": 0.0, "children": []}


def comb(depth, width):
    node = {"text": "a", "mc_value": 0.5, "children": [CHILD] * width}
    for _ in range(depth):
        node = {"text": "a", "mc_value": 0.5, "children": [node]}
    return {**node, "text": "Q?"}


SQUARES = {
    "prm800k": {"question": {"problem": "Q?"},
                "label": {"finish_reason": "solution", "steps": [STEP] * 1000}},
    "omegaprm-tree": {"question": "Q?", "reasoning_steps": comb(150, 2000)},
}  # fmt: skip


@pytest.mark.parametrize("form", SQUARES)
def test_a_row_that_is_the_square_of_itself_written_out_is_refused(form):
    with pytest.raises(InputError, match=r"100,000 steps .* in one row"):
        FORMATS[form].parse(SQUARES[form])
