from hypothesis import example, given
from hypothesis import strategies as st

from pav.models.prefixes import cut, prefix_id, prefix_ids, sampled_solution_id
from pav.models.records import Prefix


@given(st.text(), st.lists(st.text(max_size=6), max_size=6), st.booleans())
@example('a"\\', ["\x00\n", '"', "\\", "\U0001f600é", ""], True)
@example("p", ["\ud83d", "\ude00"], False)
def test_names_by_one_pass_are_those_of_each_prefix(problem_id, steps, is_finished):
    response = Prefix(problem_id, tuple(steps), is_finished)
    cuts = [cut(response, number) for number in range(len(steps) + 1)]
    assert prefix_ids(response) == [prefix_id(each) for each in cuts]


def test_a_name_is_what_it_was_when_texts_stood_with_it():
    response = Prefix("p", ("1 + 2 = 3\n", "3"), is_finished=True)
    # sha256 of ["p","",false], ["p","1 + 2 = 3\n",false] and ["p","1 + 2 = 3\n3",true].
    assert prefix_ids(response) == [
        "4495bd346a3a2d963a08", "36e9335c8966ecb08417", "410bbffd8e1caef6f1fb",
    ]  # fmt: skip


def test_a_solution_is_named_by_what_was_drawn_and_by_its_content():
    drawn = Prefix("p", ("a\n", "b"), is_finished=True)
    name = sampled_solution_id(drawn, "base", seed=0, number=1)
    others = [
        sampled_solution_id(drawn, "weak", seed=0, number=1),
        sampled_solution_id(drawn, "base", seed=1, number=1),
        sampled_solution_id(drawn, "base", seed=0, number=2),
        sampled_solution_id(Prefix("p", ("a\n", "c"), is_finished=True), "base", seed=0, number=1),
        sampled_solution_id(Prefix("p", ("a\nb",), is_finished=True), "base", seed=0, number=1),
        sampled_solution_id(Prefix("p", ("a\n", "b")), "base", seed=0, number=1),
    ]
    assert len({name, *others}) == 7
    assert name == sampled_solution_id(drawn, "base", seed=0, number=1)
