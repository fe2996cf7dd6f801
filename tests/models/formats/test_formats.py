"""Each format's rows become solutions with the text and labels that they hold, and nothing else."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.errors import InputError
from pav.models.formats import FORMATS, format_of, math_shepherd, trl
from pav.models.formats.export import imported_signs, is_right, own_signs
from pav.models.formats.math_shepherd import RESPACED
from pav.models.formats.omegaprm import STEP_END
from pav.models.formats.prmbench import BEYOND
from pav.models.settings import FormatName

SAMPLES = {
    "math-shepherd": ["formats/samples_math-shepherd.jsonl"],
    "prm800k": ["formats/samples_prm800k.jsonl"],
    "omegaprm": ["formats/samples_math-aps.jsonl"],
    "omegaprm-tree": ["formats/samples_math-aps-tree.jsonl"],
    "prmbench": ["prmbench/circular.jsonl", "prmbench/step_contradiction.jsonl"],
}


@pytest.fixture(scope="module")
def sample_rows(shared_rows):
    """The published sample rows of a format."""
    return lambda name: [row for path in SAMPLES[name] for row in shared_rows(path)]


def parsed(name, row):
    return FORMATS[name].parse(row).solutions


def values(solution):
    return [(label.num_steps, label.value) for label in solution.labels]


def refusal(name, row):
    with pytest.raises(InputError) as error:
        FORMATS[name].parse(row)
    return str(error.value)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_row_becomes_solutions_with_a_label_on_every_step(sample_rows, name):
    for row in sample_rows(name):
        for solution in parsed(name, row):
            first = solution.labels[0].num_steps
            numbers = [label.num_steps for label in solution.labels]
            assert numbers == list(range(first, len(solution.steps) + 1))
            assert solution.question.strip()
            assert solution.text


# Math-Shepherd


SHEPHERD = {
    "input": "How many? Step 1: 2 + 2 = 4 ки\nStep 2: 4 + 1 = 5 The answer is: 5 ки",
    "label": "How many? Step 1: 2 + 2 = 4 +\nStep 2: 4 + 1 = 5 The answer is: 5 -",
    "task": "GSM8K",
}


def test_math_shepherd_steps_are_the_text_between_tags_and_labels_stand_at_their_places():
    [solution] = parsed("math-shepherd", SHEPHERD)
    assert solution.question == "How many?"
    assert solution.steps == ("Step 1: 2 + 2 = 4\n", "Step 2: 4 + 1 = 5 The answer is: 5")
    assert values(solution) == [(1, 1.0), (2, 0.0)]
    assert (solution.source, solution.answer) == ("GSM8K", "")


def rewritten(solution, is_right):
    asked = math_shepherd.asked(solution.question)
    return math_shepherd.written(asked, solution.steps, is_right=is_right, task=solution.source)


def test_math_shepherd_sample_rows_come_back_exactly(sample_rows):
    rows = sample_rows("math-shepherd")
    assert len(rows) == 7
    for row in rows:
        [solution] = parsed("math-shepherd", row)
        is_right = [label.value == 1 for label in solution.labels]
        assert row == rewritten(solution, is_right)


plain_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=12
).filter(lambda text: math_shepherd.TAG not in text and "step 1:" not in text.lower())


@given(
    question=plain_text.map(str.strip).filter(bool),
    steps=st.lists(st.tuples(plain_text, st.sampled_from(["", "\n", "\n\n"])), min_size=1),
    signs=st.data(),
    gap=st.sampled_from(["", " ", "  "]),
)
def test_any_math_shepherd_row_comes_back_exactly(question, steps, signs, gap):
    texts = [f"Step {number}: {text}{end}" for number, (text, end) in enumerate(steps, start=1)]
    is_right = signs.draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
    asked = math_shepherd.asked(question)
    row = math_shepherd.written(asked, [gap + texts[0], *texts[1:]], is_right=is_right, task="M")
    found = FORMATS["math-shepherd"].parse(row)
    [solution] = found.solutions
    assert found.remarks == {}
    assert solution.steps == (gap + texts[0], *texts[1:])
    assert row == rewritten(solution, is_right)


def test_math_shepherd_rows_in_other_spacing_are_read_and_counted():
    odd = {key: text.replace(" ки", "ки").replace(" +", "+").replace(" -", "-")
           for key, text in SHEPHERD.items()}  # fmt: skip
    odd["input"], odd["label"] = ("How many? Step 1: 4ки\nStep 2: 5ки",
                                  "How many? Step 1: 4+\nStep 2: 5-")  # fmt: skip
    found = FORMATS["math-shepherd"].parse(odd)
    assert found.solutions[0].steps == ("Step 1: 4\n", "Step 2: 5")
    assert found.remarks == {RESPACED: 1}


def test_a_tag_within_a_math_shepherd_question_labels_no_step():
    row = {"input": "Round ки\nto tens? Step 1: 10 ки", "label": "Round +\nto tens? Step 1: 10 -"}
    [solution] = parsed("math-shepherd", row)
    assert (solution.question, values(solution)) == ("Round \nto tens?", [(1, 0.0)])


def test_without_step_1_the_math_shepherd_question_ends_at_its_question_mark():
    row = {"input": "How many? It is 4. ки", "label": "How many? It is 4. +", "task": ""}
    [solution] = parsed("math-shepherd", row)
    assert (solution.question, solution.steps) == ("How many?", ("It is 4.",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"label": SHEPHERD["label"].replace("-", "?")},
            "label: expected + or - at tag 2, got '?'",
        ),
        ({"label": "Another text +"}, "label: expected the text of input"),
        ({"label": SHEPHERD["label"] + " more"}, "label: expected the end of input, got ' more'"),
        ({"input": "How many? Step 1: 4"}, "input: expected a 'ки' after each step"),
        ({"input": "Nothing asked ки", "label": "Nothing asked +"}, "then `Step 1:`"),
        ({"input": None}, "input: expected text, got None"),
        ({"task": ["x"]}, "task: expected text"),
    ],
)
def test_what_is_wrong_with_a_math_shepherd_row_is_said(change, message):
    assert message in refusal("math-shepherd", SHEPHERD | change)


# PRM800K


def completion(text, rating):
    return {"text": text, "rating": rating, "flagged": None}


def step(*completions, chosen=None, human=None):
    return {"completions": list(completions), "chosen_completion": chosen,
            "human_completion": human}  # fmt: skip


def session(*steps, reason, answer="4"):
    return {
        "labeler": "someone",
        "question": {"problem": "2 + 2?", "ground_truth_answer": answer},
        "label": {"steps": list(steps), "finish_reason": reason},
    }


def test_prm800k_alternatives_share_the_prefix_of_the_chosen_completion():
    row = session(
        step(completion("two", 1), completion("three", -1), chosen=0),
        step(completion("four\n\n# Answer\n\n4", 1), completion("so", 0), chosen=0),
        reason="solution",
    )
    taken, three, so = parsed("prm800k", row)
    assert taken.steps == ("two\n", "four\n\n# Answer\n\n4")
    assert (taken.finish, values(taken)) == ("stop", [(1, 1.0), (2, 1.0)])
    assert (three.steps, three.finish, values(three)) == (("three\n",), "open", [(1, -1.0)])
    assert (so.steps, values(so)) == (("two\n", "so\n"), [(1, 1.0), (2, 0.0)])
    assert {each.labeler for each in (taken, three, so)} == {"someone"}
    assert (taken.answer, taken.answer_source) == ("4", "human")


def test_prm800k_goes_on_from_a_human_completion_that_has_no_rating():
    human = {"text": "by hand", "rating": None, "source": "human", "flagged": True}
    row = session(
        step(completion("wrong", -1), human=human),
        step(completion("end", 1), chosen=0),
        reason="solution",
    )
    found = FORMATS["prm800k"].parse(row)
    taken, wrong = found.solutions
    assert taken.steps == ("by hand\n", "end")
    assert values(taken) == [(1, None), (2, 1.0)]
    assert values(wrong) == [(1, -1.0)]
    assert sorted(found.remarks.values()) == [1, 1]


def test_a_prm800k_session_that_found_an_error_leaves_only_open_ends():
    row = session(
        step(completion("good", 1), chosen=0),
        step(completion("bad", -1), completion("better", 1)),
        reason="found_error",
    )
    bad, better = parsed("prm800k", row)
    assert (bad.steps, bad.finish) == (("good\n", "bad\n"), "open")
    assert (better.steps, better.finish) == (("good\n", "better\n"), "open")


def test_a_prm800k_session_that_gave_up_keeps_its_path_open():
    given_up = {"completions": None, "chosen_completion": None, "human_completion": None}
    for reason in ("give_up", "bad_problem"):
        [only] = parsed("prm800k", session(step(completion("one", 0), chosen=0), given_up,
                                           reason=reason, answer=None))  # fmt: skip
        assert (only.steps, only.finish, only.answer) == (("one\n",), "open", "")


def test_the_prm800k_samples_hold_what_was_counted_by_hand(sample_rows):
    # Per row: completions that were not chosen, and 1 for the path that was, unless the last step
    # was left open with completions (row 2).
    rows = sample_rows("prm800k")
    assert [len(parsed("prm800k", row)) for row in rows] == [10, 4, 7, 7, 7, 1]
    finishes = [parsed("prm800k", row)[0].finish for row in rows]
    assert finishes == ["stop", "open", "stop", "stop", "open", "stop"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": {}, "label": {"finish_reason": "solution", "steps": 3}}, "steps: expected a"),
        (session(step(completion("a", 1), chosen=0), reason="done"), "finish_reason: expected one"),
        (session(step(completion("a", 2), chosen=0), reason="solution"), "rating: expected -1, 0"),
        (session(step(completion("a", 1), chosen=3), reason="solution"), "chosen_completion"),
        ({"question": 3}, "question: expected an object, got 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_prm800k_row_is_said(row, message):
    assert message in refusal("prm800k", row)


def test_a_prm800k_row_ends_where_nothing_was_chosen_and_may_hold_nothing():
    row = session(step(completion("a", 1)), step(completion("b", 1), chosen=0), reason="solution")
    [only] = parsed("prm800k", row)
    assert (only.steps, only.finish) == (("a\n",), "open")
    found = FORMATS["prm800k"].parse(session(reason="bad_problem"))
    assert (found.solutions, found.remarks) == ((), {"rows without any completion": 1})


# OmegaPRM


OMEGA = {
    "question": "Q?",
    "final_answer": "4",
    "reasoning_steps": [
        {"solution_prefix": "Q?", "mc_value": 0.75},
        {"solution_prefix": "Q?\n\nA", "mc_value": 1.0},
        {"solution_prefix": "Q?\n\nB", "mc_value": 0.5},
        {"solution_prefix": "Q?\n\nB\nC", "mc_value": 0.0},
        {"solution_prefix": "Q?\n\nB\nD", "mc_value": 1.0},
        {"solution_prefix": "Q?\n\nB", "mc_value": 0.0},
    ],
}


def test_omegaprm_rows_are_paths_of_a_tree_with_the_value_of_each_node():
    first, *others = parsed("omegaprm", OMEGA)
    assert (first.steps, values(first)) == (("\n\nA",), [(0, 0.75), (1, 1.0)])
    assert [each.steps for each in others] == [("\n\nB", "\nC"), ("\n\nB", "\nD"), ("\n\nB",)]
    # A node that stands twice with one text is two, each with its own value.
    assert [values(each)[1] for each in others] == [(1, 0.5), (1, 0.5), (1, 0.0)]
    assert {each.finish for each in (first, *others)} == {"unknown"}


def test_an_omegaprm_tree_is_its_paths_to_leaves():
    tree = {
        "question": "Q?", "final_answer": "4",
        "reasoning_steps": {"text": "Q?", "mc_value": 0.75, "children": [
            {"text": "A", "mc_value": 1.0, "children": []},
            {"text": "B", "mc_value": 0.5, "children": [
                {"text": "C", "mc_value": 0.0, "children": []},
                {"text": "D", "mc_value": 1.0, "children": []}]}]},
    }  # fmt: skip
    found = parsed("omegaprm-tree", tree)
    assert [each.steps for each in found] == [
        ("A",), ("B" + STEP_END, "C"), ("B" + STEP_END, "D"),
    ]  # fmt: skip
    assert values(found[2]) == [(0, 0.75), (1, 0.5), (2, 1.0)]


def test_the_omegaprm_samples_have_as_many_solutions_as_their_trees_have_leaves(sample_rows):
    def leaves(node):
        return sum(map(leaves, node["children"])) or 1

    rows = sample_rows("omegaprm-tree")
    counted = [leaves(row["reasoning_steps"]) for row in rows]
    assert [len(parsed("omegaprm-tree", row)) for row in rows] == counted == [137, 85, 20]
    # The first row of the one file lists the second tree of the other: the same leaves in order.
    nested = [each.labels[-1].value for each in parsed("omegaprm-tree", rows[1])]
    listed = parsed("omegaprm", sample_rows("omegaprm")[0])
    assert [each.labels[-1].value for each in listed] == nested


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"solution_prefix": "Another"}, "solution_prefix: expected the question first"),
        ({"solution_prefix": "Q?\nA", "mc_value": 3}, "mc_value: expected a number from 0 to 1"),
        ("text", "reasoning_steps 1: expected an object"),
    ],
)
def test_what_is_wrong_with_an_omegaprm_row_is_said(step, message):
    assert message in refusal("omegaprm", OMEGA | {"reasoning_steps": [step]})
    tree = {"text": "Another", "children": []}
    assert "expected the question" in refusal("omegaprm-tree", OMEGA | {"reasoning_steps": tree})


# PRMBench and ProcessBench


def test_the_first_error_of_every_prmbench_row_is_theirs(sample_rows):
    rows = sample_rows("prmbench")
    assert len(rows) == 180
    for row in rows:
        original, modified = parsed("prmbench", row)
        assert all(label.value == 0 for label in original.labels)
        first = next(label.num_steps for label in modified.labels if label.value == 1)
        assert first == min(row["error_steps"])
        assert "".join(modified.steps) == "\n".join(row["modified_process"])


PRMBENCH = {
    "original_question": "a?", "original_process": ["1", "2"],
    "modified_question": "b?", "modified_process": ["1", "3", "4"], "error_steps": [2, 5],
}  # fmt: skip


def test_prmbench_rows_are_two_solutions_of_their_own_questions():
    found = FORMATS["prmbench"].parse(PRMBENCH)
    original, modified = found.solutions
    assert (original.question, original.steps) == ("a?", ("1\n", "2"))
    assert (modified.question, values(modified)) == ("b?", [(1, 0.0), (2, 1.0), (3, 0.0)])
    assert found.remarks == {BEYOND: 1}


def test_a_prmbench_row_that_names_no_error_has_none():
    _, modified = parsed("prmbench", PRMBENCH | {"error_steps": []})
    assert values(modified) == [(1, 0.0), (2, 0.0), (3, 0.0)]


def test_a_prmbench_error_that_is_no_step_is_refused():
    assert "steps from 1 to 3, got [4]" in refusal("prmbench", PRMBENCH | {"error_steps": [4]})
    assert "expected a whole number, got '2'" in refusal(
        "prmbench", PRMBENCH | {"error_steps": ["2"]}
    )


PROCESSBENCH = {"id": "x-1", "problem": "p?", "steps": ["a", "b", "c"], "label": 1}


def test_processbench_labels_end_with_the_first_wrong_step():
    [solution] = parsed("processbench", PROCESSBENCH)
    assert solution.text == "a\n\nb\n\nc"
    assert values(solution) == [(1, 0.0), (2, 1.0)]
    assert solution.is_correct is None


def test_processbench_label_minus_one_says_that_no_step_is_wrong():
    more = {"label": -1, "final_answer_correct": True, "generator": "some model"}
    [solution] = parsed("processbench", PROCESSBENCH | more)
    assert values(solution) == [(1, 0.0), (2, 0.0), (3, 0.0)]
    assert (solution.is_correct, solution.policy) == (True, "some model")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 3}, "label: expected -1 or a step from 0 to 2, got 3"),
        ({"label": True}, "label: expected a whole number, got True"),
        ({"steps": []}, "steps: expected a list that is not empty"),
        ({"steps": ["a", 3]}, "steps: expected text as item 2, got 3"),
        ({"final_answer_correct": "yes"}, "final_answer_correct: expected true or false"),
    ],
)
def test_what_is_wrong_with_a_processbench_row_is_said(change, message):
    assert message in refusal("processbench", PROCESSBENCH | change)


# Plain


def test_a_plain_response_is_one_text_for_the_domain_to_cut_unless_its_steps_are_given():
    row = {"question": "2 + 2?", "response": "a\nb", "answer": 4, "policy": "mine"}
    [whole] = parsed("plain", row)
    assert (whole.steps, whole.is_cut, whole.answer, whole.policy) == (
        ("a\nb",),
        False,
        "4",
        "mine",
    )
    [cut] = parsed("plain", row | {"steps": ["a", "\nb"], "finish_reason": "length"})
    assert (cut.steps, cut.is_cut, cut.finish) == (("a", "\nb"), True, "length")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response": None}, "response: expected a value"),
        ({"question": " "}, "question: expected a value"),
        ({"steps": ["a"]}, "steps: expected texts that joined are the response"),
        ({"finish_reason": "tired"}, "finish_reason: expected one of"),
        ({"split": "dev"}, "split: expected one of"),
        ({"answer_source": "rumour"}, "answer_source: expected one of"),
        ({"answer": [4]}, "answer: expected text or a whole number, got [4]"),
    ],
)
def test_what_is_wrong_with_a_plain_row_is_said(change, message):
    assert message in refusal("plain", {"question": "q", "response": "ab"} | change)


def test_the_setting_knows_every_format():
    assert get_args(FormatName) == tuple(FORMATS)


def test_another_format_is_refused_by_the_names_that_are_known():
    with pytest.raises(InputError, match="FORMAT: expected one of plain, math-shepherd"):
        format_of("openr", asked_by="FORMAT")


# What booleans hold


def test_a_neutral_rating_and_a_step_without_error_are_right():
    rated = {value: is_right("rating", value) for value in (-1, 0, 1)}
    assert rated == {-1: False, 0: True, 1: True}
    assert (is_right("error", 0), is_right("error", 1)) == (True, False)
    assert (is_right("soft", 0.03), is_right("soft", 0), is_right("hard", 0)) == (
        True,
        False,
        False,
    )


def test_own_signs_say_whether_any_rollout_was_right_and_end_with_the_verdict():
    counted = [(0, 0.5), (1, 0.25), (2, 0.0), (3, None), (4, 1.0)]
    labels = [{"num_steps": number, "value": value} for number, value in counted]
    signs = own_signs(labels)
    assert signs.signs == (True, False, None, True)
    assert signs.num_known == 2


def test_imported_signs_are_apart_for_every_source():
    labels: list[dict[str, object]] = [
        {"format": "a", "kind": "hard", "labeler": None, "num_steps": 1, "value": 1.0},
        {"format": "b", "kind": "rating", "labeler": "x", "num_steps": 0, "value": 1.0},
        {"format": "b", "kind": "rating", "labeler": "x", "num_steps": 2, "value": None},
    ]
    found = imported_signs(labels, num_steps=2)
    assert [each.signs for each in found] == [(True, None), (None, None)]


def test_a_prompt_stands_as_it_is_before_the_first_step():
    prompt = "1 3 -> 4\n"
    assert trl.written(prompt, ("1 + 3",), is_right=[True])["prompt"] == prompt
    row = math_shepherd.written(prompt, ("1 + 3",), is_right=[False], task="")
    assert (row["input"], row["label"]) == ("1 3 -> 4\n1 + 3 ки", "1 3 -> 4\n1 + 3 -")


def test_a_trl_row_has_as_many_labels_as_completions():
    row = trl.written("q", ("a\n", "b"), is_right=[True, False])
    assert row == {"prompt": "q", "completions": ["a", "b"], "labels": [True, False]}


def test_a_prmbench_error_may_be_any_step_from_the_first_to_the_last():
    row = {"original_process": ["a"], "modified_process": ["a", "b"], "error_steps": [1],
           "original_question": "p?", "modified_question": "p?"}  # fmt: skip
    for step in (1, 2):
        _, modified = FORMATS["prmbench"].parse(row | {"error_steps": [step]}).solutions
        assert [label.num_steps for label in modified.labels if label.value] == [step]


def test_a_step_without_a_sign_is_an_error_of_ours():
    with pytest.raises(ValueError, match="zip"):
        math_shepherd.written("q ", ["a", "b"], is_right=[True], task="")
